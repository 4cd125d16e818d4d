"""The three logs the promises are measured against. Keys, tokens and account numbers stay out."""

import json
import time
from io import TextIOWrapper
from pathlib import Path
from typing import Any


def stamp() -> dict[str, float]:
    """Now: `mono` is CLOCK_MONOTONIC (one scale for all processes), `wall` is Unix time."""
    return {"mono": round(time.monotonic(), 6), "wall": round(time.time(), 6)}


class Journal:
    """Writes calls.jsonl, orders.jsonl and frames.jsonl; nothing without a directory."""

    def __init__(self, directory: Path | None, *, frames: bool = True) -> None:
        self._files: dict[str, TextIOWrapper] = {}
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            for name in ("calls", "orders", "frames") if frames else ("calls", "orders"):
                path = directory / f"{name}.jsonl"
                self._files[name] = path.open("w", encoding="utf-8", buffering=1 << 20)
        self.frames = "frames" in self._files

    def call(self, line: dict[str, Any]) -> None:
        """One REST arrival."""
        self._write("calls", line)

    def order(self, line: dict[str, Any]) -> None:
        """An order call, or what became of an order later (`kind`)."""
        self._write("orders", line)

    def _write(self, name: str, line: dict[str, Any]) -> None:
        file = self._files.get(name)
        if file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()

    def data_frame(self, mono: float, section: str, text: str) -> None:
        """A data frame as sent. Built by hand: nothing in it needs escaping, and it is many."""
        self._files["frames"].write(
            f'{{"mono": {mono:.6f}, "wall": {time.time():.6f}, "section": "{section}", '
            f'"frame": "{text}"}}\n'
        )

    def control_frame(self, section: str, message: dict[str, Any]) -> None:
        """An ack or a PINGPONG; the session key in it is left out."""
        if not self.frames:
            return
        body = message.get("body")
        if body and "output" in body:
            message = message | {"body": body | {"output": {"iv": "…", "key": "…"}}}
        text = json.dumps(message, ensure_ascii=False)
        line = stamp() | {"section": section, "frame": text}
        self._files["frames"].write(json.dumps(line, ensure_ascii=False) + "\n")

    def flush(self) -> None:
        """Put everything on disk."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Flush and close; writing afterwards is an error."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        self.frames = False
