"""One client process of ``stockd bench budget``: threads that call as hard as the lanes allow.

Reads its orders as a line of JSON on standard input, prints ``ready``, reads when to begin and when
to end, prints what it measured as JSON. The network's jitter
is a random pause between the permit and the request, where a slow way to the broker would be.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import requests

from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import plan
from budget.tokens import RedisTokenStore
from kis.auth import KisAuth
from kis.endpoints import BALANCE, BUY, DAILY_CCLD, HOLIDAY, MULTPRICE, Endpoint
from kis.http import new_session
from kis.keys import Env, KisKey
from kis.rest import KisRest
from runtime.large_pages import take_large_pages
from trading.errors import StockdError

REHEARSAL_S = 0.05  # local.rehearsal_ms as it is by itself
TODAY = time.strftime("%Y%m%d")
ORDER = {
    "PDNO": "005930",
    "ORD_DVSN": "01",
    "ORD_QTY": "1",
    "ORD_UNPR": "0",
    "EXCG_ID_DVSN_CD": "KRX",
}
QUERIES: dict[str, tuple[Endpoint, dict[str, str]]] = {
    "order": (BUY, ORDER),
    "confirm": (
        DAILY_CCLD,
        dict.fromkeys(("INQR_STRT_DT", "INQR_END_DT"), TODAY)
        | dict.fromkeys(("SLL_BUY_DVSN_CD", "INQR_DVSN", "CCLD_DVSN"), "00")
        | dict.fromkeys(("PDNO", "ORD_GNO_BRNO", "ODNO", "INQR_DVSN_1", "CTX_AREA_FK100"), "")
        | {"INQR_DVSN_3": "00", "CTX_AREA_NK100": "", "EXCG_ID_DVSN_CD": "KRX"},
    ),
    "assets": (
        BALANCE,
        {
            "AFHR_FLPR_YN": "N",
            "OFL_YN": "",
            "INQR_DVSN": "02",
            "UNPR_DVSN": "01",
            "FUND_STTL_ICLD_YN": "N",
            "FNCG_AMT_AUTO_RDPT_YN": "N",
            "PRCS_DVSN": "00",
            "CTX_AREA_FK100": "",
            "CTX_AREA_NK100": "",
        },
    ),
    "spare": (HOLIDAY, {"BASS_DT": TODAY, "CTX_AREA_NK": "", "CTX_AREA_FK": ""}),
    "sweep": (
        MULTPRICE,
        {"FID_COND_MRKT_DIV_CODE_1": "J", "FID_INPUT_ISCD_1": "005930"},
    ),
}


class JitterySession(requests.Session):
    """A way to the broker that takes 0 to ``jitter`` seconds; notes each round trip."""

    def __init__(self, jitter: float, seed: int) -> None:
        super().__init__()
        self.trust_env = False
        for scheme, adapter in new_session(16).adapters.items():
            self.mount(scheme, adapter)
        self._roll = Random(seed)
        self._jitter = jitter
        self.trips: list[float] = []

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        started = time.monotonic()
        time.sleep(self._roll.uniform(0.0, self._jitter))
        reply = super().request(*args, **kwargs)
        self.trips.append(time.monotonic() - started)
        return reply


@dataclass
class Caller:
    """The threads of one process and what they measured."""

    rest: KisRest
    lanes: Lanes
    session: JitterySession
    until: float
    roll: Random = field(default_factory=Random)
    order_waits: list[float] = field(default_factory=list)
    calls: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def loop(self, lane: str, pace: float) -> None:
        """Call after call; ``pace`` s between two starts, 0 as fast as the lane allows."""
        endpoint, asked = QUERIES[lane]
        endpoint = replace(endpoint, ledger=False, permit_timeout=3.0)  # the lanes alone are tried
        asked = asked | (self.rest.account() if lane in ("order", "confirm", "assets") else {})
        due = time.monotonic()
        while time.monotonic() < self.until:
            try:
                self._call(endpoint, asked)
            except StockdError as error:
                name = type(error).__name__
                self.faults[name] = self.faults.get(name, 0) + 1
                time.sleep(0.05)
            if pace:
                due += pace
                self._pause(lane, due)

    def _pause(self, lane: str, until: float) -> None:
        """As the order worker, which walks its way in vain meanwhile (runtime/rehearsal.py)."""
        while (left := until - time.monotonic()) > 0:
            time.sleep(
                min(left, self.roll.uniform(0, 2 * REHEARSAL_S)) if lane == "order" else left
            )
            if lane == "order":
                with suppress(StockdError):
                    self.lanes.snapshot()

    def _call(self, endpoint: Endpoint, asked: dict[str, str]) -> None:
        if endpoint.name == BUY.name:
            started = time.monotonic()
            admitted = self.rest.admit(endpoint)
            self.order_waits.append(time.monotonic() - started)
            self.rest.send(endpoint, asked, admitted)
        else:
            self.rest.read(endpoint, asked)
        self.calls += 1


def main() -> None:
    """Do as told until the time is up."""
    told = json.loads(sys.stdin.readline())
    if told["skew_s"]:
        right: Callable[[], float] = time.time
        time.time = lambda: right() + told["skew_s"]  # this machine's clock is wrong
    key = KisKey("bench", told["app_key"], told["app_secret"], told["account"])
    store = connect(told["redis_url"])
    lanes = Lanes(store, "bench", plan(told["ceiling"]))
    session = JitterySession(told["jitter_s"], told["seed"])
    auth = KisAuth(key, told["rest_url"], RedisTokenStore(store, Path(told["state_dir"])), lanes)
    rest = KisRest(key, Env.REAL, told["rest_url"], auth, lanes, http=session)
    with suppress(StockdError):
        auth.token()
    session.trips.clear()
    if "order" in told["threads"]:
        take_large_pages()  # as the order worker does
    print("ready", flush=True)
    # time.monotonic is CLOCK_MONOTONIC: one scale for all processes of a machine
    start, until = json.load(sys.stdin)
    caller = Caller(rest, lanes, session, until, Random(told["seed"] + 1))
    time.sleep(max(0.0, start - time.monotonic()))
    threads = [
        threading.Thread(target=caller.loop, args=(lane, told["pace_s"].get(lane, 0.0)))
        for lane, count in told["threads"].items()
        for _ in range(count)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    measured = {
        "calls": caller.calls,
        "trips": session.trips,
        "order_waits": caller.order_waits,
        "faults": caller.faults,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
