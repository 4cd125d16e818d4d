"""The picture for people: one page of a terminal, in Korean. What is late or away is red."""

from __future__ import annotations

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budget.lanes import Snapshot
from runtime.top.look import Picture
from trading.words import LANES, SIDES, STATES

LATE_S = 20.0  # as the alarms' patience
LEFT = frozenset({"종목", "상태", "이름", "이유", "레인"})


def page(seen: Picture) -> Group:
    """All of it."""
    parts: list[RenderableType] = [_head(seen)]
    parts += [Text(f"{name}: 답이 없습니다 ({why})", "bold red") for name, why in seen.away.items()]
    if seen.lanes:
        shown = [_lanes(label, one, seen) for label, one in seen.lanes.items()]
        parts.append(Columns(shown, padding=(0, 3)))
    if seen.signs is not None:
        parts += [_feed(seen), _strikes(seen)]
        parts.append(Columns([_daemons(seen), _polls(seen), _queues(seen)], padding=(0, 3)))
    elif seen.queues:
        parts.append(_queues(seen))
    return Group(*parts)


def _head(seen: Picture) -> Text:
    line = Text(f"stockd · {seen.at:%H:%M:%S}")
    if seen.signs is None:
        return line
    if seen.signs.halt:
        line.append(f" · 멈춤: {seen.signs.halt}", "bold red")
    held = seen.signs.lease_s is not None and seen.signs.lease_s < 0
    line.append(" · 주문 워커 있음" if held else " · 주문 워커 없음", "" if held else "red")
    if seen.beat_s is not None:
        line.append(f" · beat {seen.beat_s:.0f}초 전", _red(seen.beat_s > LATE_S))
    today = ", ".join(f"{STATES.get(k, k)} {n}" for k, n in sorted(seen.signs.strikes.items()))
    line.append(f" · 오늘 타격: {today or '없음'}")
    return line


def _lanes(label: str, one: Snapshot, seen: Picture) -> Group:
    left = seen.connects.get(label, {}).get("left", "?")
    title = f"{label}: 초당 {one.used}/{one.ceiling}, 재접속 {left}번 남음"
    if one.opens_in_s > 0:
        title += f", {one.opens_in_s:.0f}초 뒤 열림"
    table = _table("", "레인", "사용", "대기", "거절")
    for lane in one.lanes:
        table.add_row(
            LANES.get(lane.lane, lane.lane), f"{lane.used}/{lane.limit}", str(lane.waiting),
            str(lane.refused), style=_red(lane.waiting > lane.limit),
        )  # fmt: skip
    return Group(Text(title), table)


def _strikes(seen: Picture) -> Table:
    table = _table(
        "타격 (열린 것, 방금 끝난 것)",
        "번호", "종목", "주문", "상태", "발화 후", "상태 후", "주문번호", "체결", "이유",
    )  # fmt: skip
    for one in seen.strikes:
        price = f"{one.price:,}원" if one.price else "시장가"
        table.add_row(
            str(one.id), one.symbol, f"{SIDES[one.side]} {one.quantity:,}주 {price}",
            STATES.get(one.state, one.state), _age(one.age_s), _age(one.state_s), one.order_no,
            f"{one.filled:,}", one.reason[:40],
            style="bold red" if one.state == "UNKNOWN" else "" if one.is_open else "dim",
        )  # fmt: skip
    return table


def _feed(seen: Picture) -> Group:
    assert seen.signs is not None  # noqa: S101  the caller asked
    feeds = {n: w.detail for n, w in seen.signs.workers.items() if n.startswith("market")}
    words = ", ".join(
        f"{name} 초당 {one.get('ticks_per_s', 0):,} 체결, 가장 늦은 행 {one.get('row_ms', 0)} ms"
        for name, one in feeds.items()
    )
    table = _table(
        "",
        "섹션", "종목 수", "체결/초", "마지막 체결", "가장 조용한 종목", "오늘 끊김", "끊긴 지",
    )  # fmt: skip
    for one in seen.sections:
        rate = seen.per_s.get(one.number)
        table.add_row(
            str(one.number), str(one.stocks), "-" if rate is None else f"{rate:,.1f}",
            _age(one.age_s), _age(one.oldest_s), str(one.gaps_today),
            "-" if one.gap_s is None else _age(one.gap_s),
            style=_red(one.age_s > LATE_S or one.gap_s is not None),
        )  # fmt: skip
    return Group(Text(f"시세: {words or '데몬 없음'}"), table)


def _daemons(seen: Picture) -> Table:
    assert seen.signs is not None  # noqa: S101  the caller asked
    table = _table("데몬", "이름", "상태", "마지막 진행")
    for name, one in sorted(seen.signs.workers.items()):
        late = one.state != "RUNNING" or one.age_s > LATE_S
        table.add_row(name, one.state, _age(one.age_s), style=_red(late))
    for name, age_s in sorted(seen.signs.events.items()):
        table.add_row(name, "EVENT", _age(age_s))
    return table


def _polls(seen: Picture) -> Table:
    table = _table("조회", "이름", "주기", "지난 간격", "마지막")
    for name, one in seen.polls.items():
        gap = "-" if one.gap_s is None else f"{one.gap_s:.1f} s"
        table.add_row(
            LANES.get(name, name), f"{one.every_s:.0f} s", gap, _age(one.age_s),
            style=_red(one.is_late),
        )  # fmt: skip
    return table


def _queues(seen: Picture) -> Table:
    table = _table("큐", "이름", "대기")
    for name, one in seen.queues.items():
        table.add_row(name, str(one.length))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in LEFT else "right", no_wrap=True)
    return table


def _red(bad: bool) -> str:
    return "red" if bad else ""


def _age(seconds: float) -> str:
    """Milliseconds where they count, hours where they do not."""
    if seconds < 10:
        return f"{max(0.0, seconds):.3f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} 분" if seconds < 36_000 else f"{seconds / 3600:.0f} 시간"
