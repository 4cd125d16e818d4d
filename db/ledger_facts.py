"""What the guards look at, read for one strike in one go on MariaDB's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from db.ledger import Site, kst
from trading.clock import KST
from trading.conditions import TriggerOp
from trading.fills import Side
from trading.guards import AssetFacts, DayFacts, Facts, MarketFacts, StrikeRow
from trading.hours import TradingDay
from trading.orders import NewOrder, OrderKind, Venue

_STRIKE = """
SELECT s.*, NOW(6) AS db_now, h.reason AS halt_reason,
  c.enabled AND c.deleted_at IS NULL AND c.arm_no = s.arm_no AND c.rev = s.condition_rev AS armed,
  c.day_amount_cap, c.day_strike_cap,
  IF(c.oco_group IS NULL, '', COALESCE((
    SELECT MAX(IF(o.side = 'SELL' AND s.side = 'SELL',
      ELT(FIELD(o.state, 'CANCELLED', 'ACCEPTED', 'PART_FILLED') + 1, 'TAKEN', '', 'OPEN', 'OPEN'),
      'TAKEN'))
    FROM strike o JOIN {condition} k ON k.id = o.condition_id AND k.arm_no = o.arm_no
     WHERE k.oco_group = c.oco_group AND o.id < s.id AND o.condition_id <> s.condition_id
       AND o.state NOT IN ('DENIED', 'EXPIRED', 'REJECTED', 'NOT_SENT')), '')) AS oco
FROM strike s LEFT JOIN {condition} c ON c.id = s.condition_id
  LEFT JOIN (SELECT action, reason FROM {halt} ORDER BY id DESC LIMIT 1) h ON h.action = 'HALT'
WHERE s.id = :id AND s.state = 'CLAIMED'
"""

# market and account, an older day's unknown order (it blocks its stock as well), the last calls.
# What was bought since the account was polled can be sold at once: a stop loss cannot wait for the
# next poll. Calls before a person resumed do not count: else the switch could not be lifted.
_AROUND = """
SELECT m.price, m.received_at, m.traded_at, m.halted, m.drift, m.hour_class,
  EXISTS (SELECT 1 FROM feed_gap g WHERE g.section = m.section AND g.until_at IS NULL) AS gap_open,
  q.upper_limit, q.lower_limit,
  b.received_at AS assets_at, b.orderable_cash, b.deposit_d2, b.realized_profit,
  COALESCE(p.sellable, 0) + IF(:side = 'SELL', COALESCE((
    SELECT SUM(f.quantity) FROM fill f
     WHERE f.account = :account AND f.order_day = CURDATE() AND f.symbol = :symbol
       AND f.side = 'BUY' AND f.recorded_at > b.received_at), 0), 0) AS sellable,
  EXISTS (SELECT 1 FROM strike u WHERE u.account = :account AND u.symbol = :symbol
          AND u.state IN ('SENDING', 'UNKNOWN')) AS unsettled,
  k.calls, k.bad_calls
FROM (SELECT COUNT(*) AS calls, COALESCE(SUM(bad), 0) AS bad_calls
      FROM (SELECT state IN ('UNKNOWN', 'NOT_SENT') OR reason_code LIKE 'EGW%' AS bad FROM strike
            WHERE account = :account AND claimed_at >= CURDATE() AND answered_at IS NOT NULL
              AND NOT EXISTS (
                SELECT 1 FROM {halt} h WHERE h.action = 'RESUME' AND h.at > claimed_at)
            ORDER BY claimed_at DESC LIMIT {window}) t) k
  LEFT JOIN market m ON m.symbol = :symbol
  LEFT JOIN sweep_quote q ON q.symbol = m.symbol AND DATE(q.received_at) = DATE(NOW(6))
  LEFT JOIN asset_balance b ON b.account = :account
  LEFT JOIN asset_position p ON p.account = b.account AND p.symbol = :symbol
"""

# strikes of today that are orders or may be, this one's symbol and condition apart; ``unseen``: the
# account was polled before it, so neither its cash nor its shares know of this order
_DAY = """
SELECT COUNT(*) AS orders,
  COALESCE(SUM(IF(side = :side, worth, 0)), 0) AS amount,
  COALESCE(SUM(IF(side = :side AND symbol = :symbol, worth, 0)), 0) AS stock_amount,
  COALESCE(SUM(IF(condition_id = :condition, 1, 0)), 0) AS condition_orders,
  COALESCE(SUM(IF(condition_id = :condition, worth, 0)), 0) AS condition_amount,
  COALESCE(SUM(IF(side = 'BUY' AND unseen, IF(state IN {open}, worth, filled_amount), 0)), 0)
    AS open_buys,
  COALESCE(SUM(CASE WHEN side <> 'SELL' OR symbol <> :symbol THEN 0
      WHEN unseen THEN IF(state IN {open}, quantity, filled)
      WHEN state = 'CANCELLED' AND updated_at > :assets_at
        THEN CAST(filled AS SIGNED) - CAST(quantity AS SIGNED)
      ELSE 0 END), 0) AS open_sells,
  COALESCE(MAX(symbol = :symbol AND side = :side AND order_kind = :kind AND price = :price
               AND state IN {open}), 0) AS same_open,
  COALESCE(MAX(symbol = :symbol AND state IN ('SENDING', 'UNKNOWN')), 0) AS unsettled
FROM (SELECT *, quantity * IF(price > 0, price, tick_price) AS worth,
        :assets_at IS NULL OR claimed_at > :assets_at AS unseen FROM strike
      WHERE account = :account AND claimed_at >= CURDATE()
        AND state NOT IN ('REJECTED', 'NOT_SENT')) t
"""
_OPEN = "('SENDING', 'UNKNOWN', 'ACCEPTED', 'PART_FILLED')"


def read_facts(  # noqa: PLR0917
    connection: Connection,
    site: Site,
    account: str,
    strike_id: int,
    window: int,
    trading_day: Callable[[date], TradingDay | None],
) -> Facts | None:
    """Facts of a CLAIMED strike; None when it is not CLAIMED (any more)."""
    s = connection.execute(
        text(_STRIKE.format(condition=site.table("condition"), halt=site.table("halt"))),
        {"id": strike_id},
    ).one_or_none()
    if s is None:
        return None
    who = {
        "account": account, "symbol": s.symbol, "condition": s.condition_id, "side": s.side,
    }  # fmt: skip
    around = _AROUND.format(window=int(window), halt=site.table("halt"))
    a = connection.execute(text(around), who).one()
    d = connection.execute(
        text(_DAY.format(open=_OPEN)),
        {
            **who, "kind": s.order_kind, "price": s.price,
            "assets_at": a.assets_at,
        },
    ).one()  # fmt: skip
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
        today=trading_day(s.db_now.date()),
        day_amount_cap=s.day_amount_cap,
        day_strike_cap=s.day_strike_cap,
    )


def strike_row(s: Row[Any]) -> StrikeRow:
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


def _market(m: Row[Any]) -> MarketFacts:
    return MarketFacts(
        m.price, kst(m.received_at), kst(m.traded_at), bool(m.halted), bool(m.drift), m.hour_class,
        bool(m.gap_open), m.upper_limit, m.lower_limit,
    )  # fmt: skip


def _assets(a: Row[Any]) -> AssetFacts:
    cash = a.orderable_cash if a.orderable_cash is not None else a.deposit_d2
    return AssetFacts(kst(a.assets_at), cash, a.realized_profit, int(a.sellable))
