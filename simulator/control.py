"""The control channel under /_sim: for tests and demos, from this machine only."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator import scenario as scenarios
from simulator.feed import Feed
from simulator.public_data import PublicData
from simulator.pump import Pump
from simulator.replay import Replay
from simulator.stock import Stock
from simulator.world import World


class Control:
    """Looks into the simulator and disturbs it."""

    def __init__(
        self, world: World, feed: Feed, pump: Pump, replay: Replay, public: PublicData
    ) -> None:
        self.world, self.feed, self.pump, self.replay = world, feed, pump, replay
        self.public = public
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """The aiohttp routes."""
        return [
            web.post("/_sim/price", self._door(self.price)),
            web.post("/_sim/fault", self._door(self.fault)),
            web.post("/_sim/scenario", self._door(self.scenario)),
            web.post("/_sim/replay", self._door(self.play)),
            web.get("/_sim/stats", self._door(self.stats)),
            web.get("/_sim/book", self._door(self.book)),
            web.get("/_sim/stocks", self._door(self.stocks)),
        ]

    def _door(
        self, act: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            if request.remote not in ("127.0.0.1", "::1"):
                return web.json_response({"error": "only from this machine"}, status=403)
            try:
                body = json.loads(await request.text() or "{}") if request.method == "POST" else {}
                return web.json_response(act(body))
            except (ValueError, KeyError, TypeError) as wrong:
                return web.json_response({"error": str(wrong)}, status=400)

        return serve

    def _stock(self, code: Any) -> Stock:
        stock = self.world.market.stocks.get(str(code))
        if stock is None:
            raise ValueError(f"symbol={code!r}: not listed here")
        return stock

    def price(self, body: dict[str, Any]) -> dict[str, Any]:
        """{symbol, price[, hold_s]} or {prices: {symbol: price}[, hold_s]}: the next trades.

        Of several prices either all are taken or none.
        """
        prices = body.get("prices") or {body["symbol"]: body["price"]}
        chosen = [(self._stock(code), int(price)) for code, price in prices.items()]
        before = [list(stock.forced) for stock, _ in chosen]
        try:
            for stock, price in chosen:
                stock.force(price)
        except ValueError:
            for (stock, _), forced in zip(chosen, before, strict=True):
                stock.forced.clear()
                stock.forced.extend(forced)
            raise
        for stock, _ in chosen:
            stock.held_until = time.monotonic() + float(body.get("hold_s", 0))
            if stock in self.world.market.live:
                self.world.market.urgent.append(stock)
        return {"ok": True}

    def fault(self, body: dict[str, Any]) -> dict[str, Any]:
        """Any knob of the scenario by name, and the one-off acts listed in `acts`."""
        acts: dict[str, Callable[[Any], Any]] = {
            "lose_next": self._lose_next,
            "refuse_after_sent": lambda n: setattr(
                self.world.exchange, "refuse_after_sent", int(n)
            ),
            "halt": lambda code: self._halt(self._stock(code)),
            "resume": lambda code: setattr(self._stock(code), "halted", False),
            "vi": lambda code: self._vi(self._stock(code), float(body.get("vi_s", 120))),
            "vi_s": lambda seconds: None,
            "expire_tokens": lambda yes: self.world.desk.expire(),
            "close_ws": lambda who: self.feed.close(_label(who), tidy=True),
            "drop_ws": lambda who: self.feed.close(_label(who), tidy=False),
            "datagokr_spoilt": lambda days: setattr(self.public, "spoilt", dict(days)),
            "datagokr_shifted": lambda day: setattr(self.public, "shifted", str(day or "")),
            "datagokr_error": lambda code: setattr(self.public, "fail_with", str(code or "")),
        }
        self.world.scenario.change({name: body[name] for name in body if name not in acts})
        for name, value in body.items():
            if name in acts:
                acts[name](value)
        return {"ok": True}

    def _lose_next(self, how: Any) -> None:
        """The next order's answer is lost: "close", "hang", "500" or "EGW00301", or a list."""
        hows = how if isinstance(how, list) else [how]
        for one in hows:
            if one not in ("close", "hang", "500", "EGW00301"):
                raise ValueError(f"lose_next={one!r}: one of close, hang, 500, EGW00301")
        self.world.lose_next += hows

    def _halt(self, stock: Stock) -> None:
        """Trading halt: one last record with TRHT_YN Y, then silence."""
        stock.halted = True
        self.pump.emit(stock, 1, time.monotonic())
        for session in stock.watchers:
            session.flush()

    def _vi(self, stock: Stock, seconds: float) -> None:
        """Volatility interruption: silence, then one print of the auction."""
        stock.vi_until = time.monotonic() + seconds
        loop = asyncio.get_running_loop()
        loop.call_later(seconds + 0.001, self.world.market.urgent.append, stock)

    def scenario(self, body: dict[str, Any]) -> dict[str, Any]:
        """{name[, reset]}: other knobs; reset also empties the books."""
        fresh = scenarios.load(str(body["name"]))
        self.world.scenario.change(asdict(fresh))
        if body.get("reset"):
            self.world.reset_books()
            self.world.notices.deliver = self.feed.deliver_notice
        return {"ok": True, "scenario": fresh.name}

    def play(self, body: dict[str, Any]) -> dict[str, Any]:
        """{file or files, speed}: play recorded frames now."""
        paths = [Path(str(one)) for one in body.get("files") or [body["file"]]]
        for path in paths:
            if not path.is_file():
                raise ValueError(f"file={str(path)!r}: no such file")
        task = asyncio.get_running_loop().create_task(
            self.replay.run(paths, float(body.get("speed", 1)), wait=bool(body.get("wait")))
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return {"ok": True}

    def stats(self, body: dict[str, Any]) -> dict[str, Any]:
        """Counts and extremes as the receiver saw them."""
        world, counters = self.world, self.world.counters
        return {
            "scenario": world.scenario.name,
            "exchange_time": world.clock.now().isoformat(),
            "ticks_sent": self.pump.records_sent,
            "frames_sent": self.pump.frames_sent,
            "records_spoilt": self.pump.records_spoilt,
            "orders": len(world.exchange.orders),
            "order_calls": counters.order_calls,
            "fills": world.exchange.fills,
            "lost_replies": counters.lost_replies,
            "notices": {
                "sent": world.notices.sent,
                "dropped": world.notices.dropped,
                "doubled": world.notices.doubled,
            },
            "calls": {label: one.calls for label, one in counters.windows.items()},
            "max_calls_in_any_second": {label: one.most for label, one in counters.windows.items()},
            "max_ledger_calls_in_any_second": {
                label: one.most for label, one in counters.ledgers.items()
            },
            "refused": counters.refused,
            "refused_by_rate": sum(
                counters.refused.get(code, 0) for code in ("EGW00201", "EGW00215")
            ),
            "min_order_gap_s": {label: one.smallest for label, one in counters.order_gaps.items()},
            "connects": {label: len(one.times) for label, one in counters.connects.items()},
            "max_connects_in_10_min": {
                label: one.most_in_10_min for label, one in counters.connects.items()
            },
            "handshakes": self.feed.handshakes,
            "already_in_use": counters.in_use,
            "tokens_issued": world.desk.tokens_issued,
            "approvals_issued": world.desk.approvals_issued,
            "registrations": {
                one.label: len(one.registered) for one in self.feed.sessions if one.customer
            },
            "replay": {
                "frames": self.replay.frames,
                "records": self.replay.records,
                "skipped": self.replay.skipped,
                "running": self.replay.running,
                "finished": self.replay.finished,
            },
            "symbols": {
                code: {
                    "records": stock.records_sent,
                    "price": stock.price,
                    "volume": stock.volume,
                }
                for code, stock in world.market.stocks.items()
                if stock.records_sent
            },
        }

    def book(self, body: dict[str, Any]) -> dict[str, Any]:
        """Every order with its fills, and every account: the truth to reconcile against."""
        orders = [
            {
                "odno": one.odno,
                "original": one.original,
                "account": one.account.label,
                "action": one.action,
                "symbol": one.code,
                "side": one.side,
                "dvsn": one.kind,
                "venue": one.venue,
                "quantity": one.quantity,
                "price": one.price,
                "filled": one.filled,
                "amount": one.amount,
                "cancelled": one.cancelled,
                "rejected": one.rejected,
                "remainder": one.remainder,
                "date": one.ymd,
                "time": one.hms,
                "mono": one.mono,
                "fills": one.fills,
            }
            for one in self.world.exchange.orders.values()
        ]
        accounts = {
            one.label: {
                "cash_d0": one.cash_d0,
                "cash_d1": one.cash_d1,
                "cash_d2": one.cash_d2,
                "orderable_cash": one.orderable_cash(),
                "costs_today": one.costs_today,
                "holdings": {code: held.quantity for code, held in one.holdings.items()},
            }
            for one in self.world.accounts.values()
        }
        return {"orders": orders, "accounts": accounts}

    def stocks(self, body: dict[str, Any]) -> dict[str, Any]:
        """All listed stocks with price, base and limits."""
        return {
            code: {
                "name": one.listing.name,
                "market": one.listing.market,
                "price": one.price,
                "base": one.base,
                "upper": one.upper,
                "lower": one.lower,
            }
            for code, one in self.world.market.stocks.items()
        }


def _label(who: Any) -> str:
    """A section by number or label, or "all"."""
    return f"simkey-{who}" if isinstance(who, int) else str(who)
