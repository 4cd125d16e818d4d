"""The order worker's desk and what the guards look at, read in one go on MariaDB's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from db.ledger import Site, kst
from db.round_trip import answers, compound
from trading.clock import KST
from trading.conditions import TriggerOp
from trading.execution import Desk
from trading.fills import Side
from trading.guards import AssetFacts, DayFacts, Facts, MarketFacts, StrikeRow
from trading.hours import TradingDay
from trading.orders import NewOrder, OrderKind, Venue

# what lies on the desk: our lease, the gate, and what is due in the order it fired
_DESK = """
  SELECT (SELECT fence FROM lease WHERE name = :lease AND holder = :holder
          AND expires_at > NOW(6)) AS fence,
    (SELECT TIMESTAMPDIFF(MICROSECOND, NOW(6), next_at) FROM order_gate WHERE account = :account)
      AS wait_us,
    d.id
  FROM (SELECT 1) one LEFT JOIN (
    SELECT id, fired_at FROM strike WHERE state = 'CLAIMED' AND account = :account
    ORDER BY fired_at, id LIMIT {queue}) d ON TRUE
  ORDER BY d.fired_at, d.id;
"""
# (SELECT … INTO: a SELECT within DECLARE or SET would lock the rows it reads)
_FIRST_DUE = """
  SELECT id INTO v_id FROM strike WHERE state = 'CLAIMED' AND account = :account
   ORDER BY fired_at, id LIMIT 1;
"""

# three rows about the strike v_id, none when it is not CLAIMED (any more); for strike 0, which
# is nobody's, all is read in vain:
# - itself
# - market, account, an older day's unknown order (it blocks its stock as well), the last calls.
#   What was bought since the account was polled can be sold at once: a stop loss cannot wait for
#   the next poll. Calls before a person resumed do not count: else the switch could not be lifted.
# - the strikes of today that are orders or may be, this one's symbol and condition apart;
#   ``unseen``: the account was polled before it, so neither its cash nor its shares know of it
_FACTS = """
  SELECT {strike}, NOW(6) AS db_now, h.reason AS halt_reason,
    c.enabled AND c.deleted_at IS NULL AND c.arm_no = s.arm_no AND c.rev = s.condition_rev AS armed,
    c.day_amount_cap, c.day_strike_cap,
    IF(c.oco_group IS NULL, '', COALESCE((
      SELECT MAX(IF(o.side = 'SELL' AND s.side = 'SELL',
        ELT(FIELD(o.state, 'CANCELLED', 'ACCEPTED', 'PART_FILLED') + 1,
            'TAKEN', '', 'OPEN', 'OPEN'),
        'TAKEN'))
      FROM strike o JOIN {condition} k ON k.id = o.condition_id AND k.arm_no = o.arm_no
       WHERE k.oco_group = c.oco_group AND o.id < s.id AND o.condition_id <> s.condition_id
         AND o.state NOT IN ('DENIED', 'EXPIRED', 'REJECTED', 'NOT_SENT')), '')) AS oco
  FROM strike s LEFT JOIN {condition} c ON c.id = s.condition_id
    LEFT JOIN (SELECT action, reason FROM {halt} ORDER BY id DESC LIMIT 1) h ON h.action = 'HALT'
  WHERE s.id = v_id AND s.state = 'CLAIMED';
  SELECT symbol, condition_id, side, order_kind, price
    INTO v_symbol, v_condition, v_side, v_kind, v_price
    FROM strike WHERE id = v_id AND state = 'CLAIMED';
  IF v_symbol IS NOT NULL OR v_id = 0 THEN
    SELECT received_at INTO v_assets_at FROM asset_balance WHERE account = :account;
    SELECT m.price, m.received_at, m.traded_at, m.halted, m.drift, m.hour_class,
      EXISTS (SELECT 1 FROM feed_gap g WHERE g.section = m.section AND g.until_at IS NULL)
        AS gap_open,
      COALESCE(y.upper_limit, q.upper_limit) AS upper_limit,
      COALESCE(y.lower_limit, q.lower_limit) AS lower_limit, y.no_buy,
      b.received_at AS assets_at, b.orderable_cash, b.deposit_d2, b.realized_profit,
      COALESCE(p.sellable, 0) + IF(v_side = 'SELL', COALESCE((
        SELECT SUM(f.quantity) FROM fill f
         WHERE f.account = :account AND f.order_day = CURDATE() AND f.symbol = v_symbol
           AND f.side = 'BUY' AND f.recorded_at > b.received_at), 0), 0) AS sellable,
      EXISTS (SELECT 1 FROM strike u WHERE u.account = :account AND u.symbol = v_symbol
              AND u.state IN ('SENDING', 'UNKNOWN')) AS unsettled,
      k.calls, k.bad_calls
    FROM (SELECT COUNT(*) AS calls, COALESCE(SUM(bad), 0) AS bad_calls
          FROM (SELECT state IN ('UNKNOWN', 'NOT_SENT') OR reason_code LIKE 'EGW%' AS bad
                FROM strike
                WHERE account = :account AND claimed_at >= CURDATE() AND answered_at IS NOT NULL
                  AND NOT EXISTS (
                    SELECT 1 FROM {halt} h WHERE h.action = 'RESUME' AND h.at > claimed_at)
                ORDER BY claimed_at DESC LIMIT {window}) t) k
      LEFT JOIN market m ON m.symbol = v_symbol
      LEFT JOIN sweep_quote q ON q.symbol = m.symbol AND DATE(q.received_at) = DATE(NOW(6))
      LEFT JOIN stock_day y ON y.symbol = v_symbol AND y.day = CURDATE()
      LEFT JOIN asset_balance b ON b.account = :account
      LEFT JOIN asset_position p ON p.account = b.account AND p.symbol = v_symbol;
    SELECT COUNT(*) AS orders,
      COALESCE(SUM(IF(side = v_side, {worth}, 0)), 0) AS amount,
      COALESCE(SUM(IF(side = v_side AND symbol = v_symbol, {worth}, 0)), 0) AS stock_amount,
      COALESCE(SUM(IF(condition_id = v_condition, 1, 0)), 0) AS condition_orders,
      COALESCE(SUM(IF(condition_id = v_condition, {worth}, 0)), 0) AS condition_amount,
      COALESCE(SUM(IF(side = 'BUY' AND {unseen}, IF(state IN {open}, {worth}, filled_amount), 0)),
        0) AS open_buys,
      COALESCE(SUM(CASE WHEN side <> 'SELL' OR symbol <> v_symbol THEN 0
          WHEN {unseen} THEN IF(state IN {open}, quantity, filled)
          WHEN state = 'CANCELLED' AND updated_at > v_assets_at
            THEN CAST(filled AS SIGNED) - CAST(quantity AS SIGNED)
          ELSE 0 END), 0) AS open_sells,
      COALESCE(MAX(symbol = v_symbol AND side = v_side AND order_kind = v_kind AND price = v_price
                   AND state IN {open}), 0) AS same_open,
      COALESCE(MAX(symbol = v_symbol AND state IN ('SENDING', 'UNKNOWN')), 0) AS unsettled
    FROM strike
    WHERE account = :account AND claimed_at >= CURDATE() AND state NOT IN ('REJECTED', 'NOT_SENT');
  END IF;
"""
# each further column costs the reader some 8 us
_STRIKE = (
    "id", "condition_id", "arm_no", "condition_rev", "symbol", "side", "order_kind", "quantity",
    "price", "venue", "trigger_op", "strike_price", "tick_price", "tick_received_at", "fired_at",
    "deadline", "max_age_ms",
)  # fmt: skip
# written out where they are summed: prepared, MariaDB 10.11 executes a sum over a computed column
# of a derived table only once (then error 1140)
_SUMMED = {
    "open": "('SENDING', 'UNKNOWN', 'ACCEPTED', 'PART_FILLED')",
    "worth": "quantity * IF(price > 0, price, tick_price)",
    "unseen": "(v_assets_at IS NULL OR claimed_at > v_assets_at)",
}
_ASCII = "CHARACTER SET ascii COLLATE ascii_bin"
_NAMES = f"""
  DECLARE v_id BIGINT UNSIGNED DEFAULT NULL;
  DECLARE v_symbol, v_side, v_kind VARCHAR(12) {_ASCII} DEFAULT NULL;
  DECLARE v_condition BIGINT UNSIGNED DEFAULT NULL;
  DECLARE v_price BIGINT DEFAULT NULL;
  DECLARE v_assets_at DATETIME(6) DEFAULT NULL;
"""


class FactsReader:
    """Statements of one account, composed once: each is one round trip."""

    def __init__(
        self,
        site: Site,
        account: str,
        *,
        window: int,
        queue: int,
        trading_day: Callable[[date], TradingDay | None],
    ) -> None:
        facts = _FACTS.format(
            condition=site.table("condition"), halt=site.table("halt"), window=int(window),
            strike=", ".join(f"s.{name}" for name in _STRIKE), **_SUMMED,
        )  # fmt: skip
        self._of_desk = compound(_NAMES + _FIRST_DUE + _DESK.format(queue=int(queue)) + facts)
        self._of_strike = compound(f"{_NAMES} SET v_id = :id; {facts}")
        self._account = account
        self._trading_day = trading_day

    def facts(self, connection: Connection, strike_id: int) -> Facts | None:
        """Facts of a CLAIMED strike; None when it is not CLAIMED (any more)."""
        rows = answers(connection, self._of_strike, {"id": strike_id, "account": self._account})
        return self._read(rows)

    def desk(self, connection: Connection, lease: str, holder: str) -> Desk:
        """What lies on the desk, with the facts of the strike that is due first."""
        values = {"lease": lease, "holder": holder, "account": self._account}
        rows, *facts = answers(connection, self._of_desk, values)
        fence, wait_us = rows[0].fence, int(rows[0].wait_us or 0)
        return Desk(
            None if fence is None else int(fence),
            max(0.0, wait_us / 1_000_000),
            [int(row.id) for row in rows if row.id is not None],
            self._read(facts),
        )

    def _read(self, rows: list[list[SimpleNamespace]]) -> Facts | None:
        if len(rows) < 3 or not rows[0]:
            return None
        (s,), (a,), (d,) = rows
        return Facts(
            now=s.db_now.replace(tzinfo=KST),
            strike=strike_row(s),
            market=_market(a) if a.price is not None else None,
            assets=_assets(a),
            day=DayFacts(
                orders=int(d.orders),
                amount=int(d.amount),
                stock_amount=int(d.stock_amount),
                open_buys=int(d.open_buys),
                open_sells=int(d.open_sells),
                condition_orders=int(d.condition_orders),
                condition_amount=int(d.condition_amount),
                same_open=bool(d.same_open),
                unsettled=bool(d.unsettled) or bool(a.unsettled),
                calls=int(a.calls),
                bad_calls=int(a.bad_calls),
            ),
            halt=s.halt_reason,
            armed=bool(s.armed),
            oco_taken=s.oco == "TAKEN",
            oco_open=s.oco == "OPEN",
            no_buy=a.no_buy or "",
            today=self._trading_day(s.db_now.date()),
            day_amount_cap=s.day_amount_cap,
            day_strike_cap=s.day_strike_cap,
        )


def strike_row(s: Any) -> StrikeRow:
    """A row of ``strike`` as the guards know it."""
    order = NewOrder(
        s.symbol, Side(s.side), OrderKind(s.order_kind), s.quantity, s.price, Venue(s.venue)
    )
    return StrikeRow(
        id=s.id, condition_id=s.condition_id, arm_no=s.arm_no, condition_rev=s.condition_rev,
        symbol=s.symbol, order=order, trigger_op=TriggerOp(s.trigger_op),
        strike_price=s.strike_price, tick_price=s.tick_price,
        tick_received_at=kst(s.tick_received_at), fired_at=kst(s.fired_at),  # type: ignore[arg-type]
        deadline=kst(s.deadline), max_age_ms=s.max_age_ms,  # type: ignore[arg-type]
    )  # fmt: skip


def _market(m: SimpleNamespace) -> MarketFacts:
    return MarketFacts(
        m.price, kst(m.received_at), kst(m.traded_at), bool(m.halted), bool(m.drift), m.hour_class,
        bool(m.gap_open), m.upper_limit, m.lower_limit,
    )  # fmt: skip


def _assets(a: SimpleNamespace) -> AssetFacts:
    cash = a.orderable_cash if a.orderable_cash is not None else a.deposit_d2
    return AssetFacts(kst(a.assets_at), cash, a.realized_profit, int(a.sellable))
