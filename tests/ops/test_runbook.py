"""Every alarm has its section in the runbook, every alert rule its section and its metric."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.alarms.judge import KINDS
from tests.compose import names

ROOT = Path(__file__).resolve().parents[2]


def sections() -> dict[str, str]:
    parts = re.split(r"^## (\S+)\n", (ROOT / "docs/runbook.md").read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_each_alarm_has_its_section_saying_what_to_do() -> None:
    known = sections()
    assert set(KINDS) | {"watchdog", "morning", "evening", "doctor"} == set(known)
    assert all(len(text.strip()) > 40 for text in known.values())


def test_the_judge_raises_no_alarm_that_is_not_in_the_list() -> None:
    source = (ROOT / "runtime/alarms/judge.py").read_text("utf-8")
    raised = {name.partition(":")[0] for name in re.findall(r'Trouble\(\s*f?"([^"]+)"', source)}
    assert raised == set(KINDS)


def test_each_alert_rule_names_a_section_that_exists() -> None:
    for rule in names.rules():
        section = rule["annotations"]["runbook_url"].partition("#")[2]
        # a fault's own section is its name up to the ":" (Trouble.kind)
        own = section == '{{ reReplaceAll ":.*" "" $labels.fault }}'
        assert own or section in sections(), rule["alert"]
