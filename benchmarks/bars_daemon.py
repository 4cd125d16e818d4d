"""The market daemon for ``bench bars``: ``python -m benchmarks.bars_daemon REST WS DB_URL KEYS``.

The real one, on the simulator's keys; only the pauses between reconnects are one second, so that
twenty of them fit into minutes. SIGTERM ends it, kill -9 is part of the measurement.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import requests

import kis.reconnect
from benchmarks.feed_daemon import Free
from db.engines import make_engine
from kis.keys import Env, KisKey
from kis.stream import Section
from runtime.loop import Stop, kst_now
from runtime.market_parts import MarketParts, SectionParts
from workers.market import SWITCH_S, running


class Approval(Free):
    """Asks for an approval key each time."""

    def __init__(self, rest_url: str, key: KisKey) -> None:
        self._rest_url, self._key = rest_url, key

    def approval_key(self) -> str:
        body = {"grant_type": "client_credentials", "appkey": self._key.app_key}
        body["secretkey"] = self._key.app_secret
        answer = requests.post(f"{self._rest_url}/oauth2/Approval", json=body, timeout=5)
        return str(answer.json()["approval_key"])


def main(rest_url: str, ws_url: str, db_url: str, config: Path) -> None:
    """Run until SIGTERM."""
    sys.setswitchinterval(SWITCH_S)
    kis.reconnect.STEPS_S = (1.0,)
    stop, told = Stop().on_signals(), json.loads(config.read_text("utf-8"))
    keys = [KisKey(*one) for one in told["keys"]]
    numbers = list(range(1, len(keys) + 1))
    parts = MarketParts(
        engine=make_engine(db_url),
        sections=[
            SectionParts(n, key, Section(key, Env.REAL, ws_url), Approval(rest_url, key))
            for n, key in zip(numbers, keys, strict=True)
        ],
        numbers=numbers,
        budget=Free(),
        wanted=lambda: told["symbols"],
        accounts={},
        awake=lambda at: True,
    )
    with running(parts) as market:
        while not stop:
            market(kst_now())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
