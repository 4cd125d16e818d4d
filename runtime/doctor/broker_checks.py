"""The broker as it answers now: reachable, on our time, our key known, our sockets free."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from db.heartbeat import read_daemons
from kis.http import new_session
from runtime import wiring
from runtime.doctor.findings import Fault, raise_any
from runtime.loop import kst_now
from runtime.settings import load_settings
from trading.errors import AuthError, OutsideError, Throttled

TIMEOUT_S = 5.0
DATE_OFF_S = 2.0  # the header has whole seconds
FEED_GONE_S = 30.0  # a socket whose daemon has been silent so long has nobody behind it


def broker() -> str:
    """Its door answers, and its Date header is our time. One GET that needs no key."""
    url = load_settings().kis.rest_url
    before = time.time()
    try:
        reply = new_session().get(url + "/", timeout=TIMEOUT_S, allow_redirects=False)
    except (requests.RequestException, OSError) as error:
        raise Fault(
            f"{url} 에 닿지 않음 ({type(error).__name__})", "인터넷과 kis.rest_url 을 보십시오"
        ) from None
    said = reply.headers.get("Date", "")
    try:
        there = parsedate_to_datetime(said).timestamp() + 0.5
    except (TypeError, ValueError):
        return f"{url}: 시각 없음"
    off = there - (before + time.time()) / 2
    if abs(off) > DATE_OFF_S:
        raise Fault(f"증권사 시계와 {off:+.0f} s 어긋남", "이 컴퓨터에 chrony 를 켜십시오")
    return f"{url}, 시계 차이 1초 안"


def token() -> str:
    """A token of each app key; an old one is read, a missing one is asked for (one a minute)."""
    faults = []
    for one in load_settings().kis.sections:
        try:
            wiring.kis_auth(one.label).token()
        except AuthError as error:
            faults.append(
                Fault(f"{one.label} 앱키가 거절됨 ({error})", "app_key 와 app_secret 을 보십시오")
            )
        except Throttled:
            faults.append(Fault(f"{one.label} 토큰은 1분에 한 번", "1분 뒤 다시 점검하십시오"))
        except OutsideError as error:
            faults.append(Fault(f"{one.label} 토큰: {error}", "잠시 뒤 다시 점검하십시오"))
    raise_any(faults)
    return f"토큰 {len(load_settings().kis.sections)}개"


def slots() -> str:
    """Connects are left in the budget, and no socket is held by nobody (ghost slot)."""
    budget, now = wiring.reconnect_budget(), kst_now()
    fed = any(
        one.name.startswith("market") and now - one.progress_at < timedelta(seconds=FEED_GONE_S)
        for one in read_daemons(wiring.engine("reader"))
    )
    faults = []
    for one in load_settings().kis.sections:
        seen = budget.look(wiring.kis_key(one.label).key_id)
        if seen["left"] == 0 or seen["wait_s"] > 0:
            again = now + timedelta(seconds=seen["wait_s"])
            faults.append(
                Fault(
                    f"{one.label} 재접속 {seen['left']}번 남음",
                    f"{_clock(again)} 뒤에 시장 데몬을 켜십시오 (10분에 4번까지)",
                )
            )
        elif seen["open"] and not fed:
            faults.append(
                Fault(
                    f"{one.label} 소켓을 닫지 않고 끝난 데몬이 있음 (유령 슬롯)",
                    "시장 데몬을 켜면 20초 기다렸다 붙습니다; OPSP8996 이면 1분 쉬십시오",
                )
            )
    raise_any(faults)
    return "소켓 자리 비었음, 재접속 여유 있음"


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M:%S")
