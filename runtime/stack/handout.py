"""`python -m runtime.stack.handout DIR`: one `.env` in, for each container a file of its own out.

The settings of this environment are checked once, here; then each process gets DIR/<name>/
settings.json with the MariaDB passwords of its own role and no other, and with app keys only if it
speaks to the broker. Passwords nobody gave are made at random and kept in DIR/vault. Files instead
of environment variables: a secret then stands in no process list and no `docker inspect` of a
service that runs. (Compose's own `secrets: environment:` cannot write into a read-only root.)
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from db.grants import RIGHTS, ROLES, user_name
from runtime.settings import Settings, read_settings
from runtime.stack.place import plain
from trading.errors import ConfigError, StockdError

SIMULATOR = "simulator"  # the container's name
READABLE = 0o444  # the folder is mounted into one container, where everybody is the same user


@dataclass(frozen=True, slots=True)
class Share:
    """What one process is given: ``roles`` it signs in as, ``keys`` whether it calls the broker,
    ``alarms`` whether it knows whom to tell (tokens stand in those addresses)."""

    roles: tuple[str, ...]
    keys: bool = False
    admin: bool = False
    alarms: bool = False


SHARES = {
    "migrate": Share(ROLES, admin=True),
    "market": Share(("market",), keys=True),
    "trader": Share(("trader",)),
    "worker-orders": Share(("orders",), keys=True),
    "worker-confirm": Share(("orders",), keys=True),
    "worker-assets": Share(("assets",), keys=True),
    "worker-sweep": Share(("sweep",), keys=True),
    "beat": Share(()),
    "flower": Share(()),
    "desk": Share(("desk", "reader")),
    # the doctor tries every sign-in; the watchdog calls the doctor each morning
    "watchdog": Share(tuple(RIGHTS), keys=True, alarms=True),
    "doctor": Share(tuple(RIGHTS), keys=True, alarms=True),
}


def share_of(settings: Settings, share: Share, passwords: dict[str, str]) -> dict[str, Any]:
    """Raw settings of one process. ``passwords`` by role, and "root" and "redis"."""
    raw: dict[str, Any] = plain(settings)
    del raw["live"]  # the switch stays in the environment: a file may be copied (P14)
    known = raw["mariadb"]
    known["passwords"] = {role: passwords[role] for role in share.roles}
    known["admin_url"] = ""
    if share.admin:
        host, port = known["host"], known["port"]
        known["admin_url"] = f"mysql+pymysql://root:{quote(passwords['root'])}@{host}:{port}/"
    raw["redis"]["url"] = _with_password(raw["redis"]["url"], passwords["redis"])
    if not share.alarms:
        raw["alarm"] |= {"urls": [], "ping_url": ""}
    if not share.keys:
        raw["kis"]["hts_id"] = raw["datagokr"]["service_key"] = raw["trade"]["account"] = ""
        for number, one in enumerate(raw["kis"]["sections"]):
            # whoever only needs to know how many sections there are and what they are called
            one |= {"app_key": f"withheld-{number}", "app_secret": "withheld-"}
            one["account"] = f"{number:08d}-00"
    return raw


def hand_out(environ: dict[str, str], directory: Path) -> list[str]:
    """Write every share below ``directory``; the names. ConfigError names a wrong setting."""
    settings = _with_simulator_keys(environ, read_settings(environ))
    if not settings.kis.sections:
        raise ConfigError("STOCKD_KIS__SECTIONS__0__APP_KEY", "is empty: no app key in .env")
    given = {name: one.get_secret_value() for name, one in settings.mariadb.passwords.items()}
    passwords = _passwords(directory / "vault", given)
    for name, share in SHARES.items():
        raw = share_of(settings, share, passwords)
        _write(directory / name / "settings.json", json.dumps(raw, ensure_ascii=False, indent=1))
    _write(directory / "mariadb" / "root_password", passwords["root"])
    _write(directory / "mariadb" / "reader_password", passwords["reader"])  # to look it up
    for name in ("mariadb", "gnuboard"):  # Gnuboard's own database (deploy/mariadb)
        _write(directory / name / "gnuboard_password", passwords["gnuboard"])
    _write(directory / "redis" / "password", passwords["redis"])
    _write(directory / "redis" / "password.conf", f"requirepass {passwords['redis']}\n")
    _write(directory / "flower" / "basic_auth", f"stockd:{passwords['flower']}")
    _write(directory / "monitoring" / "reader", passwords["reader"])
    _write(directory / "monitoring" / "flower", passwords["flower"])
    _write(directory / "monitoring" / "grafana", passwords["grafana"])
    _write(directory / "monitoring" / "redis.json", _redis_exporter(passwords["redis"]))
    _write(directory / "monitoring" / "reader.cnf", _client_file(settings, passwords["reader"]))
    _write(directory / "gnuboard" / "stockd.config.php", _site_file(settings, passwords["site"]))
    return [*SHARES, "mariadb", "redis", "monitoring", "gnuboard"]


def _passwords(vault: Path, given: dict[str, str]) -> dict[str, str]:
    """Role → password, and those of the servers and pages; kept over every start."""
    kept = vault / "passwords.json"
    known: dict[str, str] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    names = (*ROLES, "root", "redis", "flower", "grafana", "gnuboard")
    whole = {name: known.get(name) or secrets.token_urlsafe(24) for name in names} | given
    if whole != known:
        _write(kept, json.dumps(whole, indent=1), mode=0o400)
    return whole


def _with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    if parts.password:
        raise ConfigError("redis.url (STOCKD_REDIS__URL)", "has a password: leave it to compose")
    return f"redis://:{quote(password)}@{parts.hostname}:{parts.port or 6379}"


def _with_simulator_keys(environ: dict[str, str], settings: Settings) -> Settings:
    """The simulator's own customers where nobody named a key and the simulator is the broker."""
    if settings.kis.sections or urlsplit(settings.kis.rest_url).hostname != SIMULATOR:
        return settings
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "--print-settings"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    theirs = tomllib.loads(done.stdout)
    theirs["kis"] |= {"rest_url": settings.kis.rest_url, "ws_url": settings.kis.ws_url}
    raw: dict[str, Any] = plain(settings)
    raw["kis"] |= theirs["kis"]
    raw["datagokr"] |= {
        "url": settings.kis.rest_url,
        "service_key": theirs["datagokr"]["service_key"],
    }
    return Settings.model_validate(raw)


def _redis_exporter(password: str) -> str:
    return json.dumps({"redis://redis:6379": password})


def _client_file(settings: Settings, password: str) -> str:
    known = settings.mariadb
    user = user_name("reader", known.user_prefix)
    return f"[client]\nuser={user}\npassword={password}\nhost={known.host}\nport={known.port}\n"


def _site_file(settings: Settings, password: str) -> str:
    """What the Gnuboard plugin reads (gnuboard/plugin/stockd/lib/Conf.php)."""
    known, site = settings.mariadb, settings.site
    entries: dict[str, str | int] = {
        "host": known.host,
        "port": known.port,
        "user": user_name("site", known.user_prefix),
        "password": password,
        "database": site.database or known.database,
        "prefix": site.prefix,
        "machine": known.database,
    }
    lines = "".join(
        f"    '{name}' => {value if isinstance(value, int) else _php(value)},\n"
        for name, value in entries.items()
    )
    return f"<?php\nreturn array(\n{lines});\n"


def _php(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _write(path: Path, text: str, mode: int = READABLE) -> None:
    """Replace the file as a whole: a process that starts meanwhile sees the old or the new one."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    new.chmod(mode)  # whatever the umask is
    new.replace(path)


def main(arguments: list[str]) -> int:
    """Exit code 2 and one line for a wrong setting."""
    try:
        names = hand_out(dict(os.environ), Path(arguments[0]))
    except StockdError as error:
        sys.stderr.write(f"stockd: {error}\n")
        return 2
    sys.stdout.write(f"settings handed out to {len(names)}: {', '.join(names)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
