"""order_gate: the pace of order calls of an account, on MariaDB's clock (P5).

While a call is in flight ``next_at`` stands at the end of the hold, so nobody else may call; an
answer sets it one second ahead. A call without an answer keeps the whole hold: its request may
still reach the broker.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from db.errors import mapped

GAP_S = 1.0  # at least, between two order calls as the broker sees them
# A call without an answer is over by then: connect 3.05 s + read 4 s, and a second of space.
HOLD_S = 9.0
# space for what MariaDB's and the broker's clocks may differ in speed, and for DATETIME rounding
SLACK_S = 0.003


TAKE = (
    "UPDATE order_gate SET token = :token, next_at = NOW(6) + INTERVAL :hold_us MICROSECOND"
    " WHERE account = :account AND next_at <= NOW(6)"
)


def take_values(account: str, token: str, hold_s: float = HOLD_S) -> dict[str, object]:
    """The values of ``TAKE``, which changes one row when the gate was open."""
    return {"token": token, "hold_us": int(hold_s * 1_000_000), "account": account}


def pass_gate(connection: Connection, account: str, token: str, hold_s: float = HOLD_S) -> bool:
    """Take the gate within the caller's transaction if it is open; whether it was."""
    return connection.execute(text(TAKE), take_values(account, token, hold_s)).rowcount == 1


def answered(connection: Connection, account: str, token: str) -> None:
    """The answer of ``token``'s call was read: the next call may start a second from now."""
    connection.execute(
        text(
            "UPDATE order_gate SET token = NULL, next_at = NOW(6) + INTERVAL :us MICROSECOND"
            " WHERE account = :account AND token = :token"
        ),
        {"us": int((GAP_S + SLACK_S) * 1_000_000), "account": account, "token": token},
    )


def ensure_gate(engine: Engine, account: str) -> None:
    """Make the account's row, once; a new gate opens after one full gap."""
    with mapped(), engine.begin() as connection:
        connection.execute(
            text(
                "INSERT IGNORE INTO order_gate (account, next_at)"
                " VALUES (:account, NOW(6) + INTERVAL 1 SECOND)"
            ),
            {"account": account},
        )
