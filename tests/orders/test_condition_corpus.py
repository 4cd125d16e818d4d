"""The corpus of good and bad conditions: the plugin's PHP must judge each one the same."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from trading.clock import KST
from trading.conditions import BadCondition, Context, validate

CORPUS = json.loads((Path(__file__).parents[1] / "payloads" / "conditions.json").read_text("utf-8"))


def context_of(given: dict[str, Any]) -> Context:
    now = datetime.strptime(given["now"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=KST)
    return Context(**{**given, "now": now})


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["name"])
def test_each_condition_of_the_corpus_is_judged_as_written(case: dict[str, Any]) -> None:
    try:
        validate(case["row"], context_of(case["context"]))
        verdict: Any = "ok"
    except BadCondition as error:
        verdict = {"field": error.field, "code": error.code}
    assert verdict == case["verdict"]


def test_the_names_of_the_corpus_are_unique() -> None:
    assert len({case["name"] for case in CORPUS}) == len(CORPUS)
