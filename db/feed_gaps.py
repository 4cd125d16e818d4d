"""Gaps of the feed (수신 공백): when a section was not delivering. Minutes inside are marked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects.mysql import insert

from db.errors import mapped
from db.tables import feed_gap, market


def open_gap(engine: Engine, section: int, since: datetime, reason: str) -> int:
    """Note that a section stopped delivering; the id to close it with.

    A gap of this section that is still open is gone on with.
    """
    query = select(func.min(feed_gap.c.id)).where(
        feed_gap.c.section == section, feed_gap.c.until_at.is_(None)
    )
    with mapped(), engine.begin() as connection:
        known = connection.scalar(query)
        if known is not None:
            return int(known)
        row = {"section": section, "from_at": since, "reason": reason[:120]}
        return int(connection.execute(insert(feed_gap).values(row)).lastrowid)


def close_gaps(engine: Engine, section: int, until: datetime) -> int:
    """The section delivers everything again; how many gaps that ended."""
    statement = (
        update(feed_gap)
        .where(feed_gap.c.section == section, feed_gap.c.until_at.is_(None))
        .values(until_at=until)
    )
    with mapped(), engine.begin() as connection:
        return connection.execute(statement).rowcount


def last_received(engine: Engine, sections: Iterable[int]) -> dict[int, datetime]:
    """When each section last brought anything into `market` (those that ever did)."""
    query = (
        select(market.c.section, func.max(market.c.received_at))
        .where(market.c.section.in_(list(sections)), market.c.received_at.is_not(None))
        .group_by(market.c.section)
    )
    with mapped(), engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
