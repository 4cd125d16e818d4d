"""Backup and restore of what cannot be fetched again: what a person set, and the ledger.

One gzip file of plain SQL (mariadb-dump, one snapshot), with a first line that says what it is and
a last line that says it is whole. Prices, balances and listings come back by themselves.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from db.engines import make_engine
from db.errors import mapped
from db.halt import halt
from db.ledger import Site, verify
from db.migrate import check
from runtime import orders, wiring
from runtime.servers import find_program
from runtime.settings import load_settings
from runtime.stack.machine import migrate_to
from runtime.stack.place import write_private
from trading.errors import BadInput, ConfigError, Unavailable

TABLES = (
    "strike", "order_event", "event_head", "notice", "fill", "condition_state", "lease",
    "guard_trip", "watch", "setting", "asset_history", "alarm",
)  # fmt: skip
SITE_TABLES = ("condition", "condition_log", "halt")
BARS = ("bar", "feed_gap")  # a year of minute bars is some GB: only when asked for
FIRST, MIDDLE, LAST = "-- stockd backup ", "-- stockd site\n", "-- stockd end\n"
REASON = "백업을 되돌림: HTS 와 견준 뒤 조건을 다시 장전하고 재개하십시오"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file: its first line."""

    path: Path
    at: str
    schema: int
    prefix: str
    rows: dict[str, int]


def backup(target: Path, *, bars: bool = False) -> Backup:
    """Write a file (in ``target`` when it is a folder), whole or not at all, for its owner alone.

    ConfigError without mariadb-dump, Unavailable when the server cannot be dumped.
    """
    known = load_settings()
    engine = wiring.engine("reader")
    site = known.site.database or known.mariadb.database
    tables = [*TABLES, *(BARS if bars else ())]
    theirs = [f"{known.site.prefix}stockd_{name}" for name in SITE_TABLES]
    head = {
        "at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "schema": check(engine),
        "prefix": known.site.prefix,
        "rows": _rows(engine, tables) | _rows(engine, theirs, site),
    }
    path = target / f"stockd-{datetime.now():%Y%m%d-%H%M%S}.sql.gz" if target.is_dir() else target  # noqa: DTZ005  a file's name, in the machine's own time
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(handle, "wb") as out,
            gzip.open(out, "wb", 6) as packed,
            _client_file(wiring.database_url(known.mariadb, "reader")) as client,
        ):
            packed.write((FIRST + json.dumps(head) + "\n").encode())
            _dump(client, known.mariadb.database, tables, packed)
            packed.write(MIDDLE.encode())
            _dump(client, site, theirs, packed)
            packed.write(LAST.encode())
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise Unavailable(f"{path}: {error.strerror}") from None
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return Backup(path, str(head["at"]), int(head["schema"]), known.site.prefix, head["rows"])  # type: ignore[arg-type,call-overload]


def read_head(path: Path) -> Backup:
    """What a file is. BadInput when it is none of ours, is cut off or damaged."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            first = file.readline()
            last = first
            for last in file:  # noqa: B007  to the end: the checksum is there
                pass
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise BadInput("FILE", str(path), f"읽을 수 없음 ({type(error).__name__})") from None
    if not first.startswith(FIRST) or last != LAST:
        raise BadInput("FILE", str(path), "stockd 의 백업이 아니거나 끝이 잘렸습니다")
    head = json.loads(first.removeprefix(FIRST))
    return Backup(path, head["at"], int(head["schema"]), head["prefix"], head["rows"])


def restore(path: Path) -> tuple[Backup, int]:
    """Into the empty database of the settings; (what it was, events of the ledger, checked).

    Afterwards orders are halted and every condition is disarmed: what happened between the backup
    and now is not in it, and an arming whose strike was lost must not fire a second time.
    BadInput for a file that is not whole or newer, ConfigError when the database is not empty.
    """
    found = read_head(path)
    known = load_settings()
    if found.prefix != known.site.prefix:
        raise ConfigError("site.prefix", f"the backup was made with {found.prefix!r}")
    version = migrate_to(known)
    if found.schema > version:
        raise BadInput("FILE", str(path), f"스키마 {found.schema}: 이 판({version})보다 새것입니다")
    admin = make_engine(
        sa.make_url(known.mariadb.admin_url.get_secret_value()).set(database=known.mariadb.database)
    )
    try:
        _refuse_full(admin)
        with gzip.open(path, "rb") as file, _client_file(admin.url) as client:
            site = known.site.database or known.mariadb.database
            _load(client, known.mariadb.database, _until(file, MIDDLE.encode()))
            _load(client, site, _until(file, LAST.encode()))
        _disarm(admin, orders.site())
        events, fault = verify(admin)
    finally:
        admin.dispose()
    if fault:
        raise Unavailable(f"ledger: {fault}")
    return found, events


def _rows(engine: sa.Engine, tables: list[str], schema: str = "") -> dict[str, int]:
    where = f"`{schema}`." if schema else ""
    with mapped(), engine.connect() as connection:
        return {
            name: int(connection.scalar(sa.text(f"SELECT COUNT(*) FROM {where}`{name}`")) or 0)
            for name in tables
        }


def _refuse_full(engine: sa.Engine) -> None:
    full = [
        name for name, count in _rows(engine, ["strike", "order_event", "fill"]).items() if count
    ]
    if full:
        raise ConfigError(
            "mariadb.database", f"{', '.join(full)}: not empty; restore needs a new one"
        )
    with engine.begin() as connection:  # what migrating puts there
        for name in ("event_head", "setting"):
            connection.execute(sa.text(f"DELETE FROM {name}"))


def _disarm(engine: sa.Engine, site: Site) -> None:
    with mapped(), engine.begin() as connection:
        connection.execute(
            sa.text(
                f"UPDATE {site.table('condition')} SET enabled = 0, rev = rev + 1,"
                " updated_by = 'restore', updated_at = NOW(6) WHERE enabled = 1"
            )
        )
    halt(engine, site, REASON, "restore", "CLI")


def _program(*names: str) -> str:
    found = find_program(*names)
    if found is None:
        raise ConfigError(names[0], "is not installed: apt install mariadb-client")
    return found


@contextmanager
def _client_file(url: sa.URL) -> Iterator[str]:
    """Who signs in, in a private file: a password on a command line is for all to see."""
    with tempfile.TemporaryDirectory(prefix="stockd-") as folder:
        path = Path(folder) / "client.cnf"
        lines = ["[client]", f'user="{url.username}"', f'password="{url.password or ""}"']
        socket = url.query.get("unix_socket")
        lines += (
            [f'socket="{socket}"'] if socket else [f'host="{url.host}"', f"port={url.port or 3306}"]
        )
        write_private(path, "\n".join(lines) + "\n")
        yield f"--defaults-extra-file={path}"


def _dump(client: str, database: str, tables: list[str], out: Any) -> None:
    argv = [
        _program("mariadb-dump", "mysqldump"), client, "--single-transaction", "--skip-lock-tables",
        "--no-create-info", "--complete-insert", "--skip-triggers", "--no-tablespaces",
        "--hex-blob", "--skip-comments", "--skip-tz-utc", "--default-character-set=utf8mb4",
        database, *tables,
    ]  # fmt: skip
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101  asked for above
        for block in iter(lambda: process.stdout.read(1 << 16), b""):  # type: ignore[union-attr]
            out.write(block)
        words = process.stderr.read().decode(errors="replace") if process.stderr else ""
    if process.returncode != 0:
        raise Unavailable(f"mariadb-dump: {words.strip()[-200:]}")


def _until(file: IO[bytes] | gzip.GzipFile, mark: bytes) -> Iterator[bytes]:
    for line in file:
        if line == mark:
            return
        yield line


def _load(client: str, database: str, lines: Iterator[bytes]) -> None:
    argv = [_program("mariadb", "mysql"), client, "--default-character-set=utf8mb4", database]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101  asked for above
        try:
            # one transaction: a restore that breaks leaves an empty database, not half a ledger
            process.stdin.write(b"SET autocommit = 0;\n")
            process.stdin.writelines(lines)
            process.stdin.write(b"COMMIT;\n")
            process.stdin.close()
        except BrokenPipeError:
            pass  # its own words say why
        words = process.stderr.read().decode(errors="replace") if process.stderr else ""
    if process.returncode != 0:
        raise Unavailable(f"mariadb: {words.strip()[-200:]}")
