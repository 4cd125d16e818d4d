"""What a person sees: a live screen on a terminal, plain lines in a pipe."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from runtime.demo.watcher import Rows
from runtime.loop import kst_now
from trading.words import LANES, OPS, SIDES, STATES


class Screen:
    """``show`` the picture; ``say`` a line of its own. With ``--json`` all on standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._console = Console(stderr=as_json, highlight=False)
        self._live: Live | None = None
        self._next_line = 0.0

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, line: str) -> None:
        self._console.print(f"{kst_now():%H:%M:%S} {line}", soft_wrap=True)

    def show(self, picture: dict[str, Rows], extra: dict[str, Any], elapsed: float) -> None:
        if self._console.is_terminal:
            if self._live is None:
                self._live = Live(console=self._console, refresh_per_second=2, transient=False)
                self._live.start()
            self._live.update(_page(picture, extra, elapsed))
        elif elapsed >= self._next_line:
            self._next_line = elapsed + 5
            self.say(line_of(picture, extra))

    def close_live(self) -> None:
        """End the live part; what is said after stands below it."""
        if self._live:
            self._live.stop()
            self._live = None


def line_of(picture: dict[str, Rows], extra: dict[str, Any]) -> str:
    """The picture in one line."""
    counts = picture["counts"][0] if picture["counts"] else {}
    running = sum(one["state"] == "RUNNING" for one in extra.get("processes", ()))
    filled = sum(row["state"] == "FILLED" for row in picture["strikes"])
    return (
        f"종목 {counts.get('market_rows', 0)} · 체결 {extra.get('ticks', 0):,} · "
        f"자산 행 {counts.get('asset_rows', 0)} · 봉 {counts.get('bars', 0)} · "
        f"타격 {counts.get('strikes', 0)} (체결 {filled}) · 체결 기록 {counts.get('fills', 0)} · "
        f"프로세스 {running}/{len(extra.get('processes', ()))}"
    )


def _page(picture: dict[str, Rows], extra: dict[str, Any], elapsed: float) -> Group:
    head = f"stockd 데모 · {kst_now():%H:%M:%S} · {elapsed:.0f}초 · {line_of(picture, extra)}"
    return Group(
        head,
        Columns([_market(picture["market"]), Group(_assets(picture), _conditions(picture))]),
        _strikes(picture["strikes"]),
        Columns([_lanes(extra.get("lanes", {})), _processes(extra, picture["daemons"])]),
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in ("종목", "상태", "이름") else "right")
    return table


def _market(rows: Rows) -> Table:
    table = _table("시장 (거래대금 순)", "종목", "현재가", "대비", "누적 거래량")
    for row in rows:
        colour = "red" if row["price_change"] > 0 else "blue" if row["price_change"] < 0 else ""
        price = f"[{colour}]{row['price']:,}[/]" if colour else f"{row['price']:,}"
        table.add_row(row["symbol"], price, f"{row['price_change']:+,}", f"{row['day_volume']:,}")
    return table


def _assets(picture: dict[str, Rows]) -> Table:
    table = _table("자산", "이름", "수량", "평균가", "평가금액", "손익")
    for row in picture["balance"]:
        table.add_row("총평가", "", "", f"{row['total_value']:,}", f"{row['profit']:+,}")
        table.add_row("D+2 예수금", "", "", f"{row['deposit_d2']:,}", "")
    for row in picture["positions"]:
        name = row["name"] or row["symbol"]
        table.add_row(
            name, f"{row['quantity']:,}", f"{row['average_price']:,.0f}",
            f"{row['value']:,}", f"{row['profit']:+,.0f}",
        )  # fmt: skip
    return table


def _conditions(picture: dict[str, Rows]) -> Table:
    table = _table("매매 조건", "번호", "종목", "조건", "수량", "상태")
    for row in picture["conditions"]:
        rule = f"{row['strike_price']:,} {OPS[row['trigger_op']]} {SIDES[row['side']]}"
        state = row["state"] or ("장전" if row["enabled"] else "꺼짐")
        table.add_row(str(row["id"]), row["symbol"], rule, str(row["quantity"] or "금액"), state)
    return table


def _strikes(rows: Rows) -> Table:
    table = _table(
        "타격", "번호", "종목", "주문", "상태", "주문번호", "보낸 시각", "앞과의 간격", "체결"
    )
    before: datetime | None = None
    for row in rows:
        at = row["claimed_at"]
        gap = f"{(at - before).total_seconds():.3f} s" if at and before else ""
        before = at or before
        table.add_row(
            str(row["id"]), row["symbol"],
            f"{SIDES[row['side']]} {row['quantity']:,}주 {row['price']:,}원",
            STATES.get(row["state"], row["state"]), row["order_no"] or "",
            f"{at:%H:%M:%S.%f}"[:-3] if at else "", gap, f"{row['filled']:,}",
        )  # fmt: skip
    return table


def _lanes(lanes: dict[str, Any]) -> Panel:
    shown = "  ".join(
        f"{LANES.get(name, name)} {used}/{limit}" for name, (used, limit) in lanes.items()
    )
    return Panel(shown or "-", title="호출 레인 (사용/한도)")


def _processes(extra: dict[str, Any], daemons: Rows) -> Panel:
    shown = "  ".join(
        f"[green]{one['name']}[/]"
        if one["state"] == "RUNNING"
        else f"[red]{one['name']} {one['state']}[/]"
        for one in extra.get("processes", ())
    )
    alive = "  ".join(f"{row['name']} {row['state']}" for row in daemons)
    return Panel(f"{shown}\n{alive}", title="데몬")
