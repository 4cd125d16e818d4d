"""Where a stack keeps its things: one directory (`.stockd`), one run in it."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from db.grants import ROLES
from runtime.processes import ProcessMark
from runtime.servers import MariaDBServer, RedisServer, short_socket
from runtime.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]  # where cli.py, tasks/ and simulator/ stand


@dataclass(frozen=True, slots=True)
class Place:
    """A stack's directory and what stands in it."""

    directory: Path  # absolute

    @property
    def run(self) -> Path:
        """What is made anew at each start: settings of the processes, supervisor, logs."""
        return self.directory / "run"

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def simulator_log(self) -> Path:
        return self.run / "simulator"

    @property
    def settings_file(self) -> Path:
        """The settings every process of the stack reads: complete, secrets in it, mode 0600."""
        return self.run / "settings.json"

    @property
    def supervisor_socket(self) -> Path:
        return short_socket(self.run / "supervisor.sock")

    @property
    def mark(self) -> ProcessMark | None:
        """The supervisor of this place as last started, None if never."""
        return ProcessMark.read(self.run / "supervisor.mark")

    def is_running(self) -> bool:
        """Whether a stack runs here now."""
        mark = self.mark
        return mark is not None and mark.is_alive()

    def mariadb(self) -> MariaDBServer:
        return MariaDBServer(self.directory / "mariadb")

    def redis(self) -> RedisServer:
        return RedisServer(self.directory / "redis")

    def make(self) -> None:
        """The folders, readable by their owner alone."""
        for folder in (self.directory, self.run, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def passwords(self) -> dict[str, str]:
        """Role → password of the private MariaDB; made once, kept for the owner alone."""
        kept = self.directory / "passwords.json"
        known: dict[str, str] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
        missing = [role for role in ROLES if role not in known]
        if missing:
            known |= {role: secrets.token_urlsafe(24) for role in missing}
            write_private(kept, json.dumps(known, indent=1))
        return known

    def environment(self) -> dict[str, str]:
        """Environment of the stack's processes: nobody else's settings leak into it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("STOCKD_", "CELERY_"))}
        if os.environ.get("STOCKD_LIVE"):
            kept["STOCKD_LIVE"] = os.environ["STOCKD_LIVE"]
        return kept | {
            "STOCKD_CONFIG": str(self.settings_file),
            "PYTHONUNBUFFERED": "1",
            "TZ": "Asia/Seoul",
        }

    def write_settings(self, settings: Settings) -> None:
        """Keep ``settings`` for the processes of this stack."""
        shown = plain(settings)
        shown.pop("live")  # a file may be copied: the switch stays in the environment
        write_private(self.settings_file, json.dumps(shown, ensure_ascii=False, indent=1))


def plain(value: Any) -> Any:
    """A settings model as JSON with the secrets in it: for the processes' own file alone."""
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, replaced as a whole."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
