"""The simulator seen from outside: its settings, its control channel, its logs."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.stack.place import CHECKOUT
from trading.errors import Unavailable

# positions of H0STCNT0's fields, read here a second time on purpose: the judge does not use kis/
SYMBOL, HHMMSS, PRICE, VOLUME, DAY_VOLUME, DAY_TURNOVER = 0, 1, 2, 12, 13, 14
HOUR_CLASS, DAY = 43, 33


def settings_of(ports: tuple[int, ...], sections: int) -> dict[str, Any]:
    """The simulator's customers as raw settings."""
    done = subprocess.run(
        [
            sys.executable, "-m", "simulator", "--print-settings", f"--sections={sections}",
            f"--rest-port={ports[0]}", f"--ws-port={ports[1]}",
        ],
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    if done.returncode != 0:
        raise Unavailable(f"simulator: {done.stderr.strip()[-300:]}")
    return tomllib.loads(done.stdout)


class Broker:
    """Asks and disturbs the simulator at ``url``. Unavailable when it does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, door: str) -> dict[str, Any]:
        """GET /_sim/``door``."""
        return self._ask(door, None)

    def post(self, door: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /_sim/``door``."""
        return self._ask(door, json.dumps(body).encode())

    def _ask(self, door: str, data: bytes | None) -> dict[str, Any]:
        request = urllib.request.Request(f"{self._url}/_sim/{door}", data)  # noqa: S310  http only
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310  own loopback
                found: dict[str, Any] = json.load(reply)
                return found
        except urllib.error.HTTPError as error:
            raise Unavailable(f"simulator: {error.read().decode()[:200]}") from None
        except (OSError, ValueError) as error:
            raise Unavailable(f"simulator: {error}") from None


def records(log: Path) -> Iterator[tuple[float, list[str]]]:
    """Every trade record of frames.jsonl: when it was sent (wall, s) and its fields."""
    with (log / "frames.jsonl").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if '"frame": "0|H0STCNT0|' not in line or not line.endswith("\n"):
                continue
            entry = json.loads(line)
            _, _, count, body = entry["frame"].split("|", 3)
            fields = body.split("^")
            width = len(fields) // int(count)
            for number in range(int(count)):
                yield entry["wall"], fields[number * width : (number + 1) * width]
