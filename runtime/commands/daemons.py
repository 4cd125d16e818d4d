"""`stockd market`, `stockd trader`, `stockd sim`: one process in the foreground."""

from __future__ import annotations

import importlib
import os
import sys

import click

from runtime.logs import start_logs
from runtime.settings import load_settings
from trading.errors import ConfigError


@click.command()
@click.option("--section", type=int, default=None, help="이 번호의 섹션 하나만 (1부터)")
def market(section: int | None) -> int:
    """시장 데몬: 웹소켓으로 시세를 받아 market 테이블에 씁니다."""
    return _daemon("market", section=section)


@click.command()
def trader() -> int:
    """매매 데몬: 두 테이블을 읽고 조건이 맞으면 타격을 원장에 적습니다."""
    return _daemon("trader")


@click.command()
@click.option("--try", "only_try", is_flag=True, help="경보가 오는지 시험 문자 하나만 보냅니다")
def watchdog(only_try: bool) -> int:
    """감시: 다른 프로세스가 조용해지면 사람에게 알립니다 (docs/runbook.md)."""
    if not only_try:
        return _daemon("watchdog")
    from runtime.alarms.send import Sender  # noqa: PLC0415

    sender = Sender([one.get_secret_value() for one in load_settings().alarm.urls])
    if not sender.has_receivers:
        raise ConfigError("alarm.urls (STOCKD_ALARM__URLS)", "is empty: nobody to tell")
    sent = sender.send("INFO", "[stockd 시험] 경보가 옵니다", "이 문자가 보이면 됩니다")
    words = "보냈습니다" if sent else "받는 쪽이 거절했습니다: alarm.urls 를 보십시오"
    click.echo(words, err=not sent)
    return 0 if sent else 1


def _daemon(name: str, **options: object) -> int:
    if not load_settings().kis.sections:
        raise ConfigError("kis.sections (STOCKD_KIS__SECTIONS)", "is empty: no app key")
    start_logs(load_settings(), name)
    # by name: this floor does not know the one above, it only hands the process over
    return int(importlib.import_module(f"workers.{name}").main(**options) or 0)


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def sim(options: tuple[str, ...]) -> None:
    """시뮬레이터만: python -m simulator 와 같습니다."""
    from runtime.stack.place import CHECKOUT  # noqa: PLC0415

    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
    os.environ["PYTHONPATH"] = path
    os.execv(sys.executable, [sys.executable, "-m", "simulator", *options])  # noqa: S606
