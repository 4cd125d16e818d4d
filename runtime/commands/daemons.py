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
