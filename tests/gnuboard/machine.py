"""The whole machine as the demo builds it: simulator, daemons, Celery workers, pages."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from db.engines import make_engine
from runtime.demo.broker import Broker
from runtime.stack.place import Place

ROOT = Path(__file__).resolve().parents[2]
PAGES = re.compile(r"(http://127\.0\.0\.1:\d+)/ \(admin / (\S+)\)")
UP_S, DOWN_S = 240.0, 240.0


class Machine:
    """`stockd demo` until ``stop``, in a directory of its own; ``url`` and ``password`` of its
    pages once it is up. RuntimeError with what it said when it does not come up.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.said = directory, [""]
        kept = {k: v for k, v in os.environ.items() if not k.startswith("STOCKD_")}
        self._environ = kept | {"STOCKD_LOCAL__DIRECTORY": str(directory), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", "demo", "--json", "--keep", *options],
            cwd=directory, env=self._environ, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        self.url, self.password = "", ""

    def wait_up(self) -> None:
        """Until its pages, its prices and its account are there."""
        ends = time.monotonic() + UP_S
        while not (found := PAGES.search("".join(self.said))):
            self._or_fail(ends)
        self.url, self.password = found[1], found[2]
        settings = json.loads(Place(self.directory / "demo").settings_file.read_text("utf-8"))
        self.broker = Broker(settings["kis"]["rest_url"])
        reader = subprocess.run(
            [sys.executable, "-m", "cli", "db", "url", "--role", "reader"],
            cwd=self.directory, env=self._environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.engine = make_engine(reader.stdout.strip(), autocommit=True)
        ready = (
            "SELECT (SELECT COUNT(*) FROM market m JOIN listing USING (symbol) WHERE m.price > 0)"
        )
        while not self.rows(f"{ready} > 10 AND EXISTS (SELECT 1 FROM asset_balance) AS ok")[0].ok:
            self._or_fail(ends)

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(sql), values))

    def until(self, what: Callable[[], Any], seconds: float = 90.0) -> Any:
        """Wait until ``what`` gives something true."""
        ends = time.monotonic() + seconds
        while not (found := what()):
            self._or_fail(ends)
        return found

    def stop(self) -> None:
        """SIGTERM, and its clean end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(DOWN_S)
        finally:
            self.process.kill()  # everything below it is bound to it and goes as well
            self.process.wait(10)

    def _or_fail(self, ends: float) -> None:
        if self.process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError("the machine did not get there:\n" + "".join(self.said)[-3000:])
        time.sleep(0.2)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
