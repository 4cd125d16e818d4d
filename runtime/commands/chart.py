"""`stockd chart SYMBOL`: bars, fills, strike prices and gaps in the terminal or as a PNG."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from runtime import wiring
from runtime.chart.data import read_chart
from runtime.chart.picture import save
from runtime.chart.terminal import bars_that_fit, draw
from runtime.market_parts import condition_place
from trading.bars import LENGTHS

PICTURE_BARS = 120


@click.command()
@click.argument("symbol")
@click.option(
    "--minutes",
    type=click.Choice([str(one) for one in LENGTHS]),
    default="5",
    show_default=True,
    help="봉 길이 (1440 = 일봉)",
)
@click.option(
    "--bars", type=click.IntRange(min=1, max=5000), help="마지막 몇 개 (기본: 들어가는 만큼)"
)
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), help="그림 파일로")
def chart(symbol: str, minutes: str, bars: int | None, png: Path | None) -> None:
    """봉 차트: 빨강 오름, 파랑 내림, ▲▼ 체결, 주황 타격 가격, x 끊긴 봉."""
    width, height = shutil.get_terminal_size((100, 30))
    count = bars or (PICTURE_BARS if png else bars_that_fit(width))
    engine = wiring.engine("reader", autocommit=True)
    data = read_chart(engine, condition_place(), symbol, int(minutes), count)
    if png is None:
        click.echo(draw(data, width, height))
        return
    save(data, png)
    click.echo(f"{png}: {len(data.bars)}봉")
