"""`stockd probe`: the questions only the broker can answer. Reads, slowly; never an order."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from runtime import wiring
from runtime.loop import kst_now
from runtime.probe.answers import DIFFERENT, Answer, report
from runtime.probe.feed_questions import NOT_ASKED, ask_feed, cannot_ask
from runtime.probe.rest_questions import ask_rest
from runtime.settings import load_settings
from trading.errors import StockdError


def answers(label: str, symbols: tuple[str, ...], listen_s: float, *, feed: bool) -> list[Answer]:
    """Ask everything with the key of section ``label`` ("": the trading one)."""
    kis = load_settings().kis
    key = wiring.kis_key(label)
    ceiling = wiring.lanes(label).plan.ceiling
    found = list(ask_rest(wiring.kis_rest(label), ceiling, symbols[0], kst_now().date()))
    if feed:
        try:
            approval = wiring.kis_auth(label).approval_key()
            budget = wiring.reconnect_budget()
            found += ask_feed(
                key, wiring.kis_env(), kis.ws_url, approval, budget,
                symbols=symbols, listen_s=listen_s,
            )  # fmt: skip
        except StockdError as error:
            found.append(cannot_ask(error))
    return [*found, *NOT_ASKED]


@click.command()
@click.option("--section", default="", help="앱키의 이름 (기본: 매매하는 섹션)")
@click.option("--symbols", default="005930", help="물어볼 종목, 쉼표로")
@click.option("--listen", default=30.0, help="웹소켓을 들을 시간 (초)")
@click.option("--no-feed", is_flag=True, help="REST 만")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="보고서 파일")
@click.option("--json", "as_json", is_flag=True)
def probe(  # noqa: PLR0917  its options
    section: str, symbols: str, listen: float, no_feed: bool, out: Path | None, as_json: bool
) -> int:
    """첫날: 증권사에만 물어볼 수 있는 것을 읽기로만 천천히 묻고, 가정과 다른 것을 알려 줍니다."""
    asked = tuple(one.strip() for one in symbols.split(",") if one.strip())
    found = answers(section, asked, listen, feed=not no_feed)
    words = report(found, wiring.kis_key(section).label, wiring.kis_env().value, kst_now())
    path = out or wiring.state_dir() / f"probe-{kst_now():%Y%m%d-%H%M%S}.md"
    path.write_text(words, "utf-8")
    if as_json:
        lines = [dataclasses.asdict(one) for one in found]
        click.echo(json.dumps({"report": str(path), "answers": lines}, ensure_ascii=False))
    else:
        for one in found:
            change = f" → {one.change}" if one.change else ""
            click.echo(f"{one.verdict}  {one.question}: {one.found}{change}")
        click.echo(f"보고서: {path}")
    return 1 if any(one.verdict == DIFFERENT for one in found) else 0
