"""Open tabs of 현황: ``python -m benchmarks.page_tabs URL COUNT``, the cookie on the first line of
standard input; its end closes the tabs. Prints a line when each has its first answer, and JSON.

One process, a thread a tab, the requests of assets/live.js: once a second, with the last ETag.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

EVERY_S = 1.0
PATH = "/adm/view.php?call=stockd_live&ask=feed"
_SPENT = re.compile(r"dur=([\d.]+)")


@dataclass
class Tab:
    """One tab. ``answers`` are [wall time (s), ms from connecting to the last byte, ms of PHP,
    1 if it was a 304]."""

    host: str
    cookie: str
    first: float  # s after the start, so that the tabs do not ask in one go
    answers: list[tuple[float, float, float, int]] = field(default_factory=list)
    failed: int = 0
    size: int = 0
    stocks: int = 0
    tag: str = ""

    def ask(self) -> None:
        """One question, as the page's script puts it. php -S closes each connection."""
        head = {"Cookie": self.cookie, "Accept": "application/json"}
        head |= {"If-None-Match": self.tag} if self.tag else {}
        began = time.perf_counter()
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.request("GET", PATH, headers=head)
            reply = connection.getresponse()
            body = reply.read()
        except (OSError, http.client.HTTPException):
            self.failed += 1
            return
        finally:
            connection.close()
        took = 1e3 * (time.perf_counter() - began)
        spent = _SPENT.search(reply.getheader("Server-Timing", ""))
        if spent is None or reply.status not in {200, 304}:  # a login page answers 200 as well
            self.failed += 1
            return
        self.answers.append((time.time(), took, float(spent[1]), int(reply.status == 304)))
        if reply.status == 304:
            return
        self.tag = reply.getheader("ETag", "")
        if len(body) > self.size:
            self.size = len(body)
            self.stocks = len(json.loads(body)["market"])

    def live(self, over: threading.Event, ready: threading.Barrier) -> None:
        """Ask until ``over``; an answer that takes longer than a turn costs that turn."""
        self.ask()
        ready.wait(60)
        at = time.monotonic() + self.first
        while not over.wait(max(0.0, at - time.monotonic())):
            self.ask()
            at = max(at + EVERY_S, time.monotonic())


def main(url: str, count: int) -> None:
    """Open, watch until standard input ends, tell."""
    cookie = sys.stdin.readline().strip()
    host = urlsplit(url).netloc
    tabs = [Tab(host, cookie, n * EVERY_S / count) for n in range(count)]
    over, ready = threading.Event(), threading.Barrier(count + 1)
    threads = [threading.Thread(target=one.live, args=(over, ready)) for one in tabs]
    for one in threads:
        one.start()
    ready.wait(60)
    print("ready", flush=True)
    sys.stdin.read()
    over.set()
    for one in threads:
        one.join()
    print(json.dumps(seen_by(tabs)), flush=True)


def seen_by(tabs: list[Tab]) -> dict[str, Any]:
    """What all tabs saw together; the first, cold answer of each is left out."""
    return {
        "asked": sum(len(one.answers) + one.failed for one in tabs),
        "failed": sum(one.failed for one in tabs),
        "bytes": max(one.size for one in tabs),
        "stocks": max(one.stocks for one in tabs),
        "answers": [answer for one in tabs for answer in one.answers[1:]],
    }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
