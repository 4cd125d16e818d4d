"""`python -m scripts.docs.make [--check]`: writes the reference pages, or says which are old."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.docs import settings_page, tables_page

DOCS = Path(__file__).resolve().parents[2] / "docs"


def pages() -> dict[Path, str]:
    """Every generated page: its place and its text."""
    return {
        DOCS / language / f"{name}.md": made.page(language)
        for language in ("ko", "en")
        for name, made in (("settings", settings_page), ("tables", tables_page))
    }


def old() -> list[Path]:
    """Generated pages that no longer say what the code says."""
    return [p for p, text in pages().items() if not p.exists() or p.read_text("utf-8") != text]


def main(arguments: list[str]) -> int:
    """0, or 1 when --check found an old page."""
    if arguments == ["--check"]:
        stale = old()
        for path in stale:
            sys.stderr.write(f"{path.relative_to(DOCS.parent)}: old; make docs writes it anew\n")
        return 1 if stale else 0
    for path, text in pages().items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
