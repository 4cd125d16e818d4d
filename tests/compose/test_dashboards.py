"""The dashboards ask for columns that exist, and the reader may see all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

BOARDS = Path(__file__).resolve().parents[2] / "deploy/monitoring/grafana/dashboards"


def queries() -> Iterator[tuple[str, str]]:
    for board in sorted(BOARDS.glob("*.json")):
        found = json.loads(board.read_text("utf-8"))
        for variable in found["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{board.stem}: {variable['name']}", variable["query"]
        for panel in found["panels"]:
            for target in panel["targets"]:
                if "rawSql" in target:
                    yield f"{board.stem}: {panel['title']}", target["rawSql"]


@pytest.mark.parametrize(("panel", "query"), list(queries()))
def test_every_panel_can_ask_as_the_reader(servers, panel: str, query: str) -> None:  # type: ignore[no-untyped-def]
    filled = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 > '2000-01-01'", query)
    filled = filled.replace("$symbol", "005930").replace("$minutes", "1")
    assert "$" not in filled
    engine = sa.create_engine(servers.url("reader"))
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(filled.replace(":", "\\:")))
    finally:
        engine.dispose()
