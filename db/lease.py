"""Lease: who runs what there must be one of. The fencing number grows with each change of holder.

The lease keeps order and pace; it is not what prevents doubles (a paused holder wakes up late):
that is the claim, which carries the fence and is refused when the lease has passed on.
"""

from __future__ import annotations

from sqlalchemy import Engine, text

from db.errors import mapped

ORDERS = "orders"
TTL_S = 5.0  # a second worker takes over within TTL + its own look (P5: 10 s)


def take_lease(engine: Engine, name: str, holder: str, ttl_s: float = TTL_S) -> int | None:
    """Take or renew; the fencing number, or None while another holder's is still valid."""
    values = {"name": name, "holder": holder, "us": int(ttl_s * 1_000_000)}
    with mapped(), engine.begin() as connection:
        if not connection.scalar(text("SELECT 1 FROM lease WHERE name = :name"), values):
            connection.execute(
                text(
                    "INSERT IGNORE INTO lease (name, holder, fence, expires_at)"
                    " VALUES (:name, '', 0, NOW(6) - INTERVAL 1 SECOND)"
                ),
                values,
            )
        renewed = connection.execute(
            text(
                "UPDATE lease SET fence = fence + (holder <> :holder), holder = :holder,"
                " expires_at = NOW(6) + INTERVAL :us MICROSECOND"
                " WHERE name = :name AND (holder = :holder OR expires_at <= NOW(6))"
            ),
            values,
        )
        if renewed.rowcount != 1:
            return None
        return int(
            connection.scalar(text("SELECT fence FROM lease WHERE name = :name"), values) or 0
        )


def give_back(engine: Engine, name: str, holder: str) -> None:
    """Let the next one in at once (a clean stop)."""
    with mapped(), engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE lease SET holder = '', expires_at = NOW(6) - INTERVAL 1 SECOND"
                " WHERE name = :name AND holder = :holder"
            ),
            {"name": name, "holder": holder},
        )
