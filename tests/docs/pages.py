"""The pages of docs/ as a reader meets them: links, anchors, commands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "README.ko.md"])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+(?:\n(?!\n)[^`\n]+)?)`")


class Said(NamedTuple):
    """A piece of code a page shows: ``line`` as typed, ``page`` where."""

    page: str
    line: str


def links(page: Path) -> Iterator[str]:
    """Targets of a page's links, those inside code left out."""
    text = SPAN.sub("", FENCE.sub("", page.read_text("utf-8")))
    for found in LINK.finditer(text):
        yield found[1]


def anchors(page: Path) -> set[str]:
    """What a `#…` may point to: headings as the site names them, and ids given by hand."""
    found = set()
    for line in page.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            continue
        given = re.search(r"\{\s*#([\w-]+)\s*\}", line)
        title = re.sub(r"[`*]|\{.*\}", "", line.lstrip("#")).strip()
        words = unicodedata.normalize("NFC", title).lower()
        found.add(given[1] if given else re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words)))
    return found


def code(page: Path) -> Iterator[Said]:
    """Every line of code on a page: spans, fences, indented blocks."""
    name = str(page.relative_to(ROOT))
    text = page.read_text("utf-8")
    for span in SPAN.finditer(FENCE.sub("", text)):
        yield Said(name, " ".join(span[1].split()))
    for fence in FENCE.finditer(text):
        for line in fence[0].splitlines()[1:-1]:
            yield Said(name, line.strip())
    for line in text.splitlines():
        if line.startswith("    "):
            yield Said(name, line.strip())
