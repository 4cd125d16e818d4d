"""A MariaDB for the lives alone: in memory where there is room, and without durability. The kills
of the lives are simulated, the server is never killed; everything else is as in production."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from db.migrate import migrate
from runtime.servers import MariaDBServer

MEMORY = Path("/dev/shm")  # noqa: S108  a directory of our own is made in it
ROOM = 1 << 30


class FastServer(MariaDBServer):
    def command(self) -> list[str]:
        return [
            *super().command(),
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
            "--innodb-stats-auto-recalc=0",
            "--event-scheduler=OFF",  # its EVENTs run by the real clock, and no life needs them
        ]


@contextmanager
def fast_database() -> Iterator[str]:
    """URL of an empty, migrated database of its own; nothing of it is left afterwards."""
    scratch = Path(tempfile.mkdtemp(prefix="lives-", dir=_roomy()))
    server = FastServer(scratch / "mariadb")
    try:
        server.start(bound=True)
        server.wait_ready()
        admin = sa.create_engine(server.admin_url())
        migrate(admin, passwords={})
        admin.dispose()
        yield server.admin_url("stockd")
    finally:
        server.stop()
        shutil.rmtree(scratch, ignore_errors=True)


def _roomy() -> str | None:
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    return str(MEMORY) if usable and shutil.disk_usage(MEMORY).free > ROOM else None
