"""Whether to record, asked by the running daemon once a second: a word in a file of this machine.

A file and not a row: sections may be spread over machines, each with a disk of its own.
"""

from __future__ import annotations

from pathlib import Path

ON, OFF = "on", "off"


class Switch:
    """What a person said last; before that the setting ``record.on``."""

    def __init__(self, path: Path, otherwise: bool) -> None:
        self._path = path
        self._otherwise = otherwise

    def is_on(self) -> bool:
        """Whether frames are to be recorded now."""
        try:
            word = self._path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):  # not there, or no text
            return self._otherwise
        return word == ON if word in (ON, OFF) else self._otherwise

    def turn(self, on: bool) -> None:
        """Say so; the daemon follows within a second."""
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(ON if on else OFF, encoding="ascii")
        new.replace(self._path)
