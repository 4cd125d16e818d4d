"""The stop switch (P10): the last row of ``{prefix}stockd_halt`` counts; only a person resumes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from db.errors import mapped
from db.ledger import Site, kst
from trading.errors import BadInput

PEOPLE = ("CLI", "PLUGIN")


@dataclass(frozen=True, slots=True)
class Halt:
    """The last word on the switch. ``source``: CLI, PLUGIN, GUARD or FILE."""

    id: int
    reason: str
    actor: str
    source: str
    cancel_open: bool
    at: datetime | None


def halted(connection: Connection, site: Site) -> Halt | None:
    """The halt in force, None when trading may go on."""
    row = connection.execute(
        text(
            "SELECT id, action, reason, actor, source, cancel_open, at"
            f" FROM {site.table('halt')} ORDER BY id DESC LIMIT 1"
        )
    ).one_or_none()
    if row is None or row.action != "HALT":
        return None
    return Halt(row.id, row.reason, row.actor, row.source, bool(row.cancel_open), kst(row.at))


def current_halt(engine: Engine, site: Site) -> Halt | None:
    """As ``halted``, with a connection of its own."""
    with mapped(), engine.connect() as connection:
        return halted(connection, site)


def halt(
    engine: Engine, site: Site, reason: str, actor: str, source: str, *, cancel_open: bool = False
) -> bool:
    """Stop new orders. A guard halts once, a person always (a new reason, cancel_open). Whether a
    row was written. BadInput without a reason."""
    if not reason.strip():
        raise BadInput("reason", reason, "정지에는 이유를 적습니다")
    with mapped(), engine.begin() as connection:
        if source not in PEOPLE and halted(connection, site) is not None:
            return False
        _write(connection, site, "HALT", reason, actor, source, cancel_open)
    return True


def resume(engine: Engine, site: Site, reason: str, actor: str, source: str = "CLI") -> bool:
    """Lift the halt: a person, with a reason. False when nothing was halted."""
    if not reason.strip():
        raise BadInput("reason", reason, "재개에는 이유를 적습니다")
    if source not in PEOPLE:
        raise BadInput("source", source, "재개는 사람만 합니다")
    with mapped(), engine.begin() as connection:
        if halted(connection, site) is None:
            return False
        _write(connection, site, "RESUME", reason, actor, source, False)
    return True


def _write(  # noqa: PLR0917  the columns of the row
    connection: Connection,
    site: Site,
    action: str,
    reason: str,
    actor: str,
    source: str,
    cancel_open: bool,
) -> None:
    connection.execute(
        text(
            f"INSERT INTO {site.table('halt')} (action, reason, actor, source, cancel_open, at)"
            " VALUES (:action, :reason, :actor, :source, :cancel, NOW(6))"
        ),
        {
            "action": action, "reason": reason.strip()[:200], "actor": actor[:20],
            "source": source, "cancel": int(cancel_open),
        },
    )  # fmt: skip
