"""The dashboards ask for columns that are there, of sources that are there, as the reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from db.grants import user_name
from runtime.stack.handout import SHARES, hand_out

BOARDS = Path(__file__).resolve().parents[2] / "deploy/monitoring/grafana/dashboards"

SIM = {
    "STOCKD_KIS__ENV": "real",
    "STOCKD_KIS__REST_URL": "http://simulator:9443",
    "STOCKD_KIS__WS_URL": "ws://simulator:21000",
}


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


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for board in sorted(BOARDS.glob("*.json")):
        for panel in json.loads(board.read_text("utf-8"))["panels"]:
            yield board.stem, panel


def test_each_panel_asks_a_source_that_is_provisioned_with_a_password_handed_out(
    tmp_path: Path,
) -> None:
    provisioned = yaml.safe_load(
        (BOARDS.parent / "provisioning/datasources/stockd.yml").read_text("utf-8")
    )["datasources"]
    known = {one["uid"]: one["type"] for one in provisioned}
    for board, panel in panels():
        for one in (panel, *panel["targets"]):
            source = one["datasource"]
            assert known.get(source["uid"]) == source["type"], (board, panel["title"])
    tables = next(one for one in provisioned if one["type"] == "mysql")
    assert tables["user"] == user_name("reader")
    secret = tables["secureJsonData"]["password"]
    for name in (*SHARES, "vault", "mariadb", "redis", "monitoring", "gnuboard"):
        (tmp_path / name).mkdir()
    hand_out(SIM, tmp_path)
    file = tmp_path / "monitoring" / secret.removeprefix("$__file{/run/secrets/").rstrip("}")
    made = json.loads((tmp_path / "vault/passwords.json").read_text("utf-8"))
    assert file.read_text("utf-8") == made["reader"]


def test_no_two_boards_share_an_address_and_no_two_panels_a_place() -> None:
    boards = [json.loads(one.read_text("utf-8")) for one in BOARDS.glob("*.json")]
    assert len({one["uid"] for one in boards}) == len(boards)
    for board in boards:
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert not cells & taken, (board["title"], panel["title"])
            assert at["x"] + at["w"] <= 24
            taken |= cells
