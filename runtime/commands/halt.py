"""`stockd halt`, `stockd resume`: the stop switch (P10)."""

from __future__ import annotations

import getpass

import click

from db import halt as switch
from runtime import wiring
from runtime.orders import site, stop_file
from trading.errors import ConfigError


@click.command()
@click.argument("reason")
@click.option("--cancel-open", is_flag=True, help="미체결 주문도 모두 취소합니다")
def halt(reason: str, cancel_open: bool) -> None:
    """새 주문을 1초 안에 멈춥니다. REASON 은 이유."""
    switch.halt(
        wiring.engine("desk"), site(), reason, getpass.getuser(), "CLI", cancel_open=cancel_open
    )
    click.echo(f"멈췄습니다: {reason}. 풀기: stockd resume")


@click.command()
@click.argument("reason", default="사람이 재개")
def resume(reason: str) -> None:
    """멈춤을 풉니다. 사람만 할 수 있습니다."""
    if stop_file().exists():
        raise ConfigError(str(stop_file()), "the stop file is there: remove it first")
    lifted = switch.resume(wiring.engine("desk"), site(), reason, getpass.getuser())
    click.echo("다시 주문합니다" if lifted else "멈춰 있지 않습니다")
