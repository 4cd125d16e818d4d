"""`stockd budget`: each app key's lanes, live."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from budget.lanes import Snapshot
from runtime import wiring
from runtime.settings import load_settings
from trading.errors import ConfigError
from trading.words import LANES

LOOK_EVERY_S = 0.5


def look() -> dict[str, Snapshot]:
    """The lanes of every section, by its label. Unavailable when Redis is gone."""
    labels = [one.label for one in load_settings().kis.sections]
    if not labels:
        raise ConfigError("kis.sections (STOCKD_KIS__SECTIONS)", "is empty: no app key")
    return {label: wiring.lanes(label).snapshot() for label in labels}


def figures(seen: dict[str, Snapshot]) -> dict[str, Any]:
    """The same for programs: {label: {ceiling, used, opens_in_s, connects, lanes: […]}}."""
    return {
        label: {
            "ceiling": one.ceiling,
            "used": one.used,
            "opens_in_s": round(one.opens_in_s, 1),
            "connects": wiring.reconnect_budget().look(wiring.kis_key(label).key_id),
            "lanes": [asdict(lane) for lane in one.lanes],
        }
        for label, one in seen.items()
    }


def table(label: str, seen: Snapshot) -> Table:
    """One app key as people read it."""
    title = f"{label}: 초당 {seen.used} / {seen.ceiling}"
    if seen.opens_in_s > 0:
        title += f", {seen.opens_in_s:.0f}초 뒤 열림 (Redis가 새로 시작됨)"
    made = Table("레인", "한도", "사용", "대기", "허용 누계", "거절 누계", title=title)
    for lane in seen.lanes:
        made.add_row(
            LANES[lane.lane],
            *(str(n) for n in (lane.limit, lane.used, lane.waiting, lane.granted, lane.refused)),
        )
    return made


@click.command()
@click.option("--json", "as_json", is_flag=True, help="한 번, JSON으로")
@click.option("--once", is_flag=True, help="한 번만")
def budget(as_json: bool, once: bool) -> None:
    """앱키마다 호출 레인: 한도, 사용, 대기, 거절. 터미널에서는 계속 갱신합니다 (Ctrl-C로 끝)."""
    if as_json:
        click.echo(json.dumps(figures(look()), ensure_ascii=False))
        return
    console = Console()
    if once or not console.is_terminal:
        console.print(_tables())
        return
    with Live(_tables(), console=console, refresh_per_second=1 / LOOK_EVERY_S) as live:
        while True:
            time.sleep(LOOK_EVERY_S)
            live.update(_tables())


def _tables() -> Group:
    return Group(*(table(label, one) for label, one in look().items()))
