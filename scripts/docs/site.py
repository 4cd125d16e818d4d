"""Hooks of the site (mkdocs.yml): two languages in one tree, drawings without a CDN."""

from __future__ import annotations

import re
from typing import Any

FENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NODE = r"(\w+)(?:[\[(]+(.*?)[\])]+)?"
EDGE = re.compile(rf"\s*{NODE}\s*(-->|-- (.+?) -->|-\. (.+?) \.->)\s*")


def on_page_context(context: Any, page: Any, config: Any, **_: Any) -> Any:
    """The theme's own words follow the page's language."""
    config.theme["language"] = "en" if page.file.src_uri.startswith("en/") else "ko"
    return context


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A drawing that needs a script from elsewhere becomes lines of arrows."""
    return FENCE.sub(lambda found: f"```text\n{arrows(found[1])}\n```", markdown)


def arrows(flowchart: str) -> str:
    """``A[page] -- arms --> B`` as ``page ─(arms)→ B``, one line a chain."""
    names: dict[str, str] = {}
    lines = []
    for line in flowchart.splitlines()[1:]:
        said, rest = [], line
        while found := EDGE.match(rest):
            names.setdefault(found[1], found[2] or found[1])
            label = found[4] or found[5]
            said += [found[1], f" ─({label})→ " if label else " → "]
            rest = rest[found.end() :]
        last = re.match(rf"\s*{NODE}", rest)
        if said and last:
            names.setdefault(last[1], last[2] or last[1])
            lines.append([*said, last[1]])
    return "\n".join("".join(names.get(part, part) for part in line) for line in lines)
