"""The ledger: strikes and their events. A claim is a unique key or a conditional UPDATE whose rows
are counted, never read-then-write. Everything here runs on MariaDB's clock.

Lock order everywhere: the strike's row first, the chain's end (``event_head``) last, and one strike
a transaction, so that two processes cannot wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from db.errors import error_code, mapped
from db.round_trip import ATOMIC, Compound, answers, compound
from trading.clock import KST
from trading.conditions import Condition, TriggerOp
from trading.fills import Side
from trading.firing import Crossing
from trading.lifecycle import State, check

DUPLICATE = 1062


@dataclass(frozen=True, slots=True)
class Site:
    """Where the conditions' tables stand: database ("" = that of the URL) and table prefix."""

    database: str = ""
    prefix: str = ""

    def table(self, name: str) -> str:
        """Quoted name of ``condition``, ``condition_log`` or ``halt``."""
        own = f"`{self.prefix}stockd_{name}`"
        return f"`{self.database}`.{own}" if self.database else own


def kst(value: datetime | None) -> datetime | None:
    """What a DATETIME column holds, as an aware time."""
    return None if value is None else value.replace(tzinfo=KST)


def digest(  # noqa: PLR0917
    prev: str, strike_id: int, at: datetime, before: str, after: str, detail: str
) -> str:
    """Hash of one event. ``at`` is the KST wall time as it stands in the table."""
    words = [prev, str(strike_id), at.replace(tzinfo=None).isoformat(timespec="microseconds")]
    return sha256("\n".join([*words, before, after, detail]).encode()).hexdigest()


# the hash is ``digest``, made where the chain's end is locked: that saves the order a round trip
_APPEND = """
INSERT INTO order_event (strike_id, at, from_state, to_state, detail, prev_hash, hash)
SELECT {strike}, n.at, :before, :after, :detail, h.hash,
  SHA2(CONCAT_WS(CHAR(10), CONVERT(h.hash USING utf8mb4) COLLATE utf8mb4_bin, {strike},
    DATE_FORMAT(n.at, '%Y-%m-%dT%H:%i:%s.%f'), :before, :after, :detail), 256)
FROM event_head h JOIN (SELECT NOW(6) AS at) n WHERE h.one = 1 FOR UPDATE
"""
_NEW_HEAD = """
UPDATE event_head SET hash = (SELECT e.hash FROM order_event e WHERE e.id = LAST_INSERT_ID())
WHERE one = 1
"""
_APPEND_OF = _APPEND.format(strike=":strike")


def appending(strike: str) -> str:
    """``append_event`` inside a compound statement: ``strike`` is the SQL of the strike's id; its
    values are ``event_values``."""
    return f"{_APPEND.format(strike=strike)};{_NEW_HEAD};"


def event_values(before: State | str, after: State, detail: Mapping[str, Any]) -> dict[str, Any]:
    """before, after and detail of one event as they are written."""
    body = json.dumps(detail, ensure_ascii=False, default=str, sort_keys=True)
    return {"before": str(before), "after": str(after), "detail": body}


def append_event(
    connection: Connection,
    strike_id: int,
    before: State | str,
    after: State,
    detail: Mapping[str, Any],
) -> None:
    """Append to the chain within the caller's transaction, after the strike's row was changed."""
    connection.execute(
        text(_APPEND_OF), {"strike": strike_id, **event_values(before, after, detail)}
    )
    connection.execute(text(_NEW_HEAD))


def step(
    connection: Connection,
    strike_id: int,
    before: State,
    after: State,
    detail: Mapping[str, Any],
    *,
    changes: Mapping[str, Any] | None = None,
    stamp: str = "",
    also: str = "",
    **params: Any,
) -> bool:
    """Move one strike if it is still in ``before`` (and ``also`` holds); whether it was moved.

    ``changes`` are columns to set with it, ``stamp`` one to set to now; the event is written in the
    same transaction.
    """
    if before is not after:
        check(before, after)
    sets = "".join(f", {name} = :set_{name}" for name in changes or {})
    sets += f", {stamp} = NOW(6)" if stamp else ""
    done = connection.execute(
        text(
            f"UPDATE strike SET state = :after, updated_at = NOW(6){sets}"
            f" WHERE id = :id AND state = :before{' AND ' + also if also else ''}"
        ),
        {
            "after": after.value, "before": before.value, "id": strike_id, **params,
            **{f"set_{name}": value for name, value in (changes or {}).items()},
        },
    )  # fmt: skip
    if done.rowcount != 1:
        return False
    append_event(connection, strike_id, before, after, detail)
    return True


# the account as it is now is kept with the strike, so that the order explains itself
_BALANCE = (
    "orderable_cash", "deposit_d2", "total_value", "profit", "realized_profit", "snapshot_no",
    "received_at",
)  # fmt: skip
_POSITION = ("quantity", "sellable", "average_price")
_TEXT = ("received_at", "average_price")  # neither a JSON date nor a float


def _as_json(names: tuple[str, ...]) -> str:
    pairs = (f"'{n}', {f'CAST({n} AS CHAR)' if n in _TEXT else n}" for n in names)
    return f"JSON_OBJECT({', '.join(pairs)})"


_BIRTH = f"""
  DECLARE v_id BIGINT UNSIGNED DEFAULT NULL;
  DECLARE v_balance, v_position LONGTEXT CHARACTER SET utf8mb4 DEFAULT NULL;
  {ATOMIC}
  SELECT {_as_json(_BALANCE)} INTO v_balance FROM asset_balance WHERE account = :account;
  SELECT {_as_json(_POSITION)} INTO v_position FROM asset_position
   WHERE account = :account AND symbol = :symbol;
  INSERT INTO strike (condition_id, arm_no, condition_rev, account, symbol, side, order_kind, venue,
    quantity, price, trigger_op, strike_price, tick_price, tick_seq, tick_at, tick_received_at,
    fired_at, deadline, max_age_ms, assets, state, updated_at)
  SELECT c.id, c.arm_no, c.rev, :account, c.symbol, c.side, c.order_kind, c.venue,
    :quantity, :price, c.trigger_op, :strike_price, :tick_price, :tick_seq, :tick_at,
    :tick_received_at, NOW(6),
    LEAST(NOW(6) + INTERVAL :patience_us MICROSECOND,
      COALESCE(c.valid_until, NOW(6) + INTERVAL :patience_us MICROSECOND),
      COALESCE(TIMESTAMP(CURDATE(), c.window_until), NOW(6) + INTERVAL :patience_us MICROSECOND)),
    c.max_age_ms,
    CONCAT('{{{{"balance": ', COALESCE(v_balance, 'null'),
           ', "position": ', COALESCE(v_position, 'null'), '}}}}'),
    'CLAIMED', NOW(6)
  FROM {{condition}} c
  WHERE c.id = :id AND c.rev = :rev AND c.arm_no = :arm_no AND c.enabled = 1
    AND c.deleted_at IS NULL
    AND COALESCE((SELECT h.action FROM {{halt}} h ORDER BY h.id DESC LIMIT 1), '') <> 'HALT';
  IF ROW_COUNT() = 1 THEN
    SET v_id = LAST_INSERT_ID();
    {appending("v_id")}
    COMMIT;
  ELSE
    ROLLBACK;
  END IF;
  SELECT v_id AS id;
"""


@cache
def _birth(site: Site) -> Compound:
    return compound(_BIRTH.format(condition=site.table("condition"), halt=site.table("halt")))


def claim_arming(  # noqa: PLR0917  the trader, the tick and the account, all of them recorded
    where: Engine | Connection,
    site: Site,
    account: str,
    condition: Condition,
    crossing: Crossing,
    level: int,
    patience: timedelta,
    quantity: int | None = None,
) -> int | None:
    """Strike id of this arming's one firing: row and event in one commit and one round trip. None
    when somebody else has it, or the condition was switched off, edited or armed anew since it was
    read (P4), or trading is halted (P10).

    ``level`` is the price that fired (a trailing stop moves it); the unique key
    (condition_id, arm_no) is the claim. ``quantity``: shares, if not what the condition says.
    ``where`` has no transaction open.
    """
    price = condition.order_price(level)
    shares = condition.order_quantity(level, crossing.price) if quantity is None else quantity
    values = {
        "account": account, "id": condition.id, "rev": condition.rev, "arm_no": condition.arm_no,
        "symbol": condition.symbol,
        "quantity": shares, "price": price, "strike_price": level,
        "tick_price": crossing.price, "tick_seq": crossing.seq,
        "tick_at": crossing.traded_at and crossing.traded_at.astimezone(KST).replace(tzinfo=None),
        "tick_received_at": crossing.received_at.astimezone(KST).replace(tzinfo=None),
        "patience_us": int(patience.total_seconds() * 1_000_000),
    }  # fmt: skip
    detail = {
        "price": crossing.price, "seq": crossing.seq, "received_at": values["tick_received_at"],
        "level": level, "quantity": values["quantity"], "order_price": price,
    }  # fmt: skip
    values |= event_values("", State.CLAIMED, detail)
    try:
        with mapped(), _connected(where) as connection:
            made = answers(connection, _birth(site), values)[0][0].id
    except IntegrityError as error:
        if error_code(error) == DUPLICATE:
            return None
        raise
    return None if made is None else int(made)


_NOBODY = Condition("", Side.BUY, TriggerOp.LE, 0, quantity=1)  # id 0: no row has it
_NO_TICK = Crossing(0, 0, datetime(2000, 1, 1, tzinfo=KST), None)


def rehearse_arming(connection: Connection, site: Site, account: str) -> None:
    """``claim_arming`` for a condition that does not exist: all is asked, nothing is written."""
    claim_arming(connection, site, account, _NOBODY, _NO_TICK, 0, timedelta(0))


@contextmanager
def _connected(where: Engine | Connection) -> Iterator[Connection]:
    if isinstance(where, Connection):
        yield where
        return
    with where.connect() as connection:
        yield connection


def end_unsent(engine: Engine, strike_id: int, after: State, code: str, reason: str) -> bool:
    """CLAIMED → DENIED or EXPIRED, with the Korean reason. Whether this call did it."""
    with mapped(), engine.begin() as connection:
        return step(
            connection,
            strike_id,
            State.CLAIMED,
            after,
            {"code": code, "reason": reason},
            changes={"reason_code": code, "reason": reason[:200]},
        )


def verify(engine: Engine) -> tuple[int, str]:
    """(events checked, fault). ``fault`` is "" when the chain is whole from first to last."""
    with mapped(), engine.connect() as connection:
        prev, count = "0" * 64, 0
        rows = connection.execution_options(stream_results=True, max_row_buffer=1000).execute(
            text(
                "SELECT id, strike_id, at, from_state, to_state, detail, prev_hash, hash"
                " FROM order_event ORDER BY id"
            )
        )
        for row in rows:
            own = digest(prev, row.strike_id, row.at, row.from_state, row.to_state, row.detail)
            if row.prev_hash != prev or row.hash != own:
                return count, f"사건 {row.id} (타격 {row.strike_id}): 사슬이 끊겼습니다"
            prev, count = row.hash, count + 1
    with mapped(), engine.connect() as connection:
        head = connection.scalar(text("SELECT hash FROM event_head WHERE one = 1"))
        newer = connection.scalar(
            text("SELECT COUNT(*) FROM order_event WHERE hash = :h"), {"h": head}
        )
    if head != prev and not newer:
        return count, "사슬의 끝이 잘렸습니다"
    return count, ""
