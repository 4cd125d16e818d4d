"""What a probe found, beside what we assumed, and which setting to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

SAME, DIFFERENT, UNKNOWN = "같음", "다름", "모름"


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of the fact sheet's section 9. ``verdict``: 같음, 다름, 모름."""

    question: str
    assumed: str
    found: str
    verdict: str
    change: str = ""  # the setting to change, or what to do


def compared(question: str, assumed: str, found: str, same: bool, change: str = "") -> Answer:
    """An answer that agrees with what was assumed, or says what to change."""
    verdict = SAME if same else DIFFERENT
    return Answer(question, assumed, found, verdict, "" if same else change)


def unknown(question: str, assumed: str, why: str) -> Answer:
    """A question that could not be asked now."""
    return Answer(question, assumed, why, UNKNOWN)


def report(answers: Sequence[Answer], label: str, env: str, at: datetime) -> str:
    """The report as Markdown, without a secret: the section's label stands for its key."""
    lines = [
        f"# stockd probe: {label} ({env}), {at:%Y-%m-%d %H:%M} KST",
        "",
        "| 물음 | 우리가 가정한 것 | 찾은 것 | | 바꿀 것 |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {one.question} | {one.assumed} | {one.found} | {one.verdict} | {one.change} |"
        for one in answers
    ]
    return "\n".join(lines) + "\n"
