"""`stockd top`: the running machine on one screen, each second anew."""

from __future__ import annotations

import json
import time
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from budget.connect import connect
from runtime import orders, wiring
from runtime.celeryapp import QUEUES
from runtime.commands.budget import look as lanes
from runtime.loop import kst_now
from runtime.settings import load_settings
from runtime.top.figures import figures
from runtime.top.look import Looker
from runtime.top.page import page

EVERY_S = 1.0


def looker() -> Looker:
    """What looks with the settings in force. ConfigError without sections."""
    known = load_settings().redis
    return Looker(
        wiring.engine("reader", autocommit=True),
        orders.site(),
        connect(wiring.redis_url(known.state_db)),
        connect(wiring.redis_url(known.broker_db)),
        QUEUES,
        lanes,
        _connects,
    )


def _connects() -> dict[str, dict[str, Any]]:
    budget = wiring.reconnect_budget()
    return {
        one.label: budget.look(wiring.kis_key(one.label).key_id)
        for one in load_settings().kis.sections
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="한 번, JSON으로")
@click.option("--once", is_flag=True, help="한 번만")
def top(as_json: bool, once: bool) -> int:
    """레인, 진행 중인 타격, 섹션별 시세, 데몬, 조회 간격, 큐를 1초마다 (Ctrl-C로 끝).

    --once 와 --json 은 초당 체결을 재려고 1초 간격으로 두 번 봅니다.
    서버가 답하지 않으면 1로 끝납니다.
    """
    watch, console = looker(), Console()
    if as_json or once or not console.is_terminal:
        watch.look(kst_now())
        time.sleep(EVERY_S)
        seen = watch.look(kst_now())
        if as_json:
            click.echo(json.dumps(figures(seen), ensure_ascii=False))
        else:
            console.print(page(seen))
        return 1 if seen.away else 0
    with Live(
        page(watch.look(kst_now())), console=console, auto_refresh=False, screen=True
    ) as live:
        while True:
            time.sleep(EVERY_S)
            live.update(page(watch.look(kst_now())), refresh=True)
