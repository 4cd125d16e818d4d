"""What `stockd top` reads beside the signs of life: the sections, and the strikes under way."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, text

from db.errors import mapped

LATELY_S = 60  # strikes that ended within this are shown too: one is over in less than a look


@dataclass(frozen=True, slots=True)
class SectionRead:
    """One websocket session as table ``market`` shows it. Ages in s, on the server's clock."""

    number: int
    stocks: int
    records: int  # of all its stocks since they were first watched: what it grows by is the rate
    age_s: float  # since its youngest tick
    oldest_s: float  # since the youngest tick of its quietest stock
    gaps_today: int
    gap_s: float | None  # since it has not been delivering, None when it does


@dataclass(frozen=True, slots=True)
class StrikeRead:
    """A strike that is open or was until a moment ago. ``price`` KRW, 0: 시장가."""

    id: int
    symbol: str
    side: str
    quantity: int
    price: int
    state: str
    reason: str
    order_no: str
    filled: int
    age_s: float  # since it fired
    state_s: float  # since it last changed
    is_open: bool


_AGE = "TIMESTAMPDIFF(MICROSECOND, {}, NOW(6)) / 1e6"
_SECTIONS = f"""
SELECT m.section, COUNT(*) AS stocks, SUM(m.seq) AS records,
  {_AGE.format("MAX(m.received_at)")} AS age, {_AGE.format("MIN(m.received_at)")} AS oldest,
  (SELECT COUNT(*) FROM feed_gap g WHERE g.section = m.section AND g.from_at >= CURDATE()) AS gaps,
  (SELECT {_AGE.format("MIN(g.from_at)")} FROM feed_gap g
    WHERE g.section = m.section AND g.until_at IS NULL) AS gap
FROM market m GROUP BY m.section ORDER BY m.section
"""
_OPEN = "('CLAIMED', 'SENDING', 'ACCEPTED', 'UNKNOWN', 'PART_FILLED')"
_STRIKES = f"""
SELECT id, symbol, side, quantity, COALESCE(price, 0) AS price, state, COALESCE(reason, ''),
  COALESCE(order_no, ''), filled, {_AGE.format("fired_at")}, {_AGE.format("updated_at")},
  state IN {_OPEN} AS is_open
FROM strike WHERE state IN {_OPEN} OR updated_at > NOW(6) - INTERVAL {LATELY_S} SECOND
ORDER BY is_open DESC, id DESC LIMIT :most
"""


def read_sections(engine: Engine) -> list[SectionRead]:
    """Every section that has stocks. ``engine`` in autocommit. Unavailable without MariaDB."""
    with mapped(), engine.connect() as connection:
        return [
            SectionRead(
                int(row[0]), int(row[1]), int(row[2]), float(row[3]), float(row[4]), int(row[5]),
                None if row[6] is None else float(row[6]),
            )
            for row in connection.execute(text(_SECTIONS))
        ]  # fmt: skip


def read_strikes(engine: Engine, most: int = 20) -> list[StrikeRead]:
    """Open strikes first, the newest first, at most ``most``. Unavailable without MariaDB."""
    with mapped(), engine.connect() as connection:
        return [
            StrikeRead(
                int(row[0]), row[1], row[2], int(row[3]), int(row[4]), row[5], row[6], row[7],
                int(row[8]), float(row[9]), float(row[10]), bool(row[11]),
            )
            for row in connection.execute(text(_STRIKES), {"most": most})
        ]  # fmt: skip
