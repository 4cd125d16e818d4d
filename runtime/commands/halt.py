"""`stockd halt "reason"`, `stockd resume "reason"`: the stop switch (P10)."""

from __future__ import annotations

import click

from db.halt import current_halt
from db.halt import halt as halt_now
from db.halt import resume as resume_now
from runtime import orders, wiring
from runtime.commands.condition import who


@click.command()
@click.argument("reason")
@click.option("--cancel-open", is_flag=True, help="미체결 주문도 모두 취소합니다")
def halt(reason: str, cancel_open: bool) -> None:
    """새 주문을 멈춥니다."""
    engine = wiring.engine("desk")
    halt_now(engine, orders.site(), reason, who(), "CLI", cancel_open=cancel_open)
    click.echo("멈췄습니다. 다시 시작: stockd resume 이유")


@click.command()
@click.argument("reason")
def resume(reason: str) -> int:
    """멈춤을 풉니다 (사람만, 이유를 적고)."""
    file = orders.stop_file()
    if file.exists():
        click.echo(f"먼저 정지 파일을 지우십시오: {file}", err=True)
        return 1
    engine = wiring.engine("desk")
    before = current_halt(engine, orders.site())
    if not resume_now(engine, orders.site(), reason, who()):
        click.echo("멈춰 있지 않습니다")
        return 0
    click.echo(f"다시 주문합니다. 멈췄던 이유: {before.reason if before else ''}")
    return 0
