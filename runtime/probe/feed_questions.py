"""Questions over one websocket session: frame widths, acks, keep-alive. One connect of the budget,
closed tidily; nothing is registered that the market daemon would not register, but the order book.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import websocket

from budget.reconnect import RedisReconnectBudget
from kis.frames import NOTICE_MOCK, NOTICE_REAL, TRADE
from kis.keys import Env, KisKey
from runtime.probe.answers import Answer, compared, unknown
from trading.errors import StockdError, Unavailable

BOOK = "H0STASP0"
TRADE_WIDTHS, BOOK_WIDTHS = {46, 47}, {59, 60, 62, 63, 65}
PACE_S = 0.2  # between registrations


@dataclass
class Heard:
    """What one session said."""

    widths: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    acks: dict[str, str] = field(default_factory=dict)
    encrypt: dict[str, str] = field(default_factory=dict)
    pings: list[float] = field(default_factory=list)
    ponged: bool = False
    ended: str = ""


def ask_feed(
    key: KisKey, env: Env, url: str, approval: str, budget: RedisReconnectBudget,
    *, symbols: tuple[str, ...], listen_s: float,
) -> Iterator[Answer]:  # fmt: skip
    """Listen for ``listen_s`` s. Unavailable when a daemon has this key's session, or the budget
    says to wait."""
    seen = budget.look(key.key_id)
    if seen["open"]:
        raise Unavailable(
            "이 앱키의 소켓을 시장 데몬이 쓰고 있습니다: stockd down market 으로 그것만 끄고 다시,"
            " 끝나면 stockd up market (compose: docker compose stop market, start market)"
        )
    wait = budget.claim(key.key_id)
    if wait > 0:
        raise Unavailable(f"재접속 예산: {wait:.0f}초 뒤에 다시 하십시오")
    clean = False
    try:
        heard = _listen(key, env, url, approval, symbols=symbols, listen_s=listen_s)
        clean = not heard.ended
    finally:
        budget.closed(key.key_id, clean)
        if not clean:
            budget.hold_off(key.key_id, 60.0)
    yield from _answers(heard, env, listen_s)


def _listen(
    key: KisKey, env: Env, url: str, approval: str, *, symbols: tuple[str, ...], listen_s: float
) -> Heard:
    heard = Heard()
    notice = NOTICE_REAL if env is Env.REAL else NOTICE_MOCK
    wanted = [(TRADE, one) for one in symbols] + [(BOOK, symbols[0]), (notice, key.hts_id)]
    try:
        line = websocket.create_connection(f"{url}/tryitout", timeout=5)
    except (OSError, websocket.WebSocketException) as error:
        heard.ended = type(error).__name__
        raise Unavailable(f"websocket: {type(error).__name__}") from None
    try:
        for one in wanted:
            line.send(_registration(approval, "1", *one))
            _hear(line, heard, time.monotonic() + PACE_S)
        line.ping("stockd")
        _hear(line, heard, time.monotonic() + listen_s)
        for one in wanted:
            line.send(_registration(approval, "2", *one))
            _hear(line, heard, time.monotonic() + PACE_S)
    except (OSError, websocket.WebSocketException) as error:
        heard.ended = type(error).__name__
    finally:
        line.close(timeout=2)
    return heard


def _registration(approval: str, kind: str, tr_id: str, tr_key: str) -> str:
    header = {
        "approval_key": approval, "custtype": "P", "tr_type": kind, "content-type": "utf-8",
    }  # fmt: skip
    return json.dumps({"header": header, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}})


def _hear(line: websocket.WebSocket, heard: Heard, until: float) -> None:
    while (left := until - time.monotonic()) > 0:
        line.settimeout(max(0.01, left))
        try:
            code, data = line.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            return
        if code == websocket.ABNF.OPCODE_PONG:
            heard.ponged = True
        elif code == websocket.ABNF.OPCODE_CLOSE:
            heard.ended = "closed"
            return
        elif code in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
            _read(line, heard, bytes(data).decode("utf-8", "replace"))


def _read(line: websocket.WebSocket, heard: Heard, text: str) -> None:
    if text[:1] in ("0", "1"):
        _, tr_id, count, record = text.split("|", 3)
        if text[0] == "0":  # encrypted ones show their width only with the key
            heard.widths[tr_id][len(record.split("^")) // max(1, int(count))] += 1
        return
    try:
        said: Any = json.loads(text)
    except ValueError:
        return
    header = said.get("header") or {}
    tr_id = str(header.get("tr_id"))
    if tr_id == "PINGPONG":
        heard.pings.append(time.monotonic())
        line.send(text)
        return
    body = said.get("body") or {}
    heard.acks.setdefault(tr_id, f"rt_cd {body.get('rt_cd')} {body.get('msg_cd')}")
    heard.encrypt.setdefault(tr_id, str(header.get("encrypt", "")))


def _answers(heard: Heard, env: Env, listen_s: float) -> Iterator[Answer]:
    notice = NOTICE_REAL if env is Env.REAL else NOTICE_MOCK
    for name, tr_id, known in (("체결", TRADE, TRADE_WIDTHS), ("호가", BOOK, BOOK_WIDTHS)):
        found, assumed = heard.widths.get(tr_id), f"{min(known)}–{max(known)} 필드"
        if not found:
            yield unknown(f"{name} 전문의 폭", assumed, "장중이 아니어서 오지 않았습니다")
            continue
        shown = ", ".join(f"{width} ({count}번)" for width, count in sorted(found.items()))
        change = "새 판을 찾으십시오: 전문이 바뀌었습니다"
        yield compared(f"{name} 전문의 폭", assumed, shown, set(found) <= known, change)
    ack = heard.acks.get(notice, "답 없음")
    found_ack = f"{ack}, encrypt {heard.encrypt.get(notice, '?')}"
    ok = "OPSP0000" in ack or "OPSP0002" in ack
    yield compared(
        "체결통보 등록", "OPSP0000, encrypt Y 또는 N", found_ack, ok, "kis.hts_id 를 보십시오"
    )
    gaps = [b - a for a, b in zip(heard.pings, heard.pings[1:], strict=False)]
    if gaps:
        shown = f"{min(gaps):.0f}–{max(gaps):.0f}초마다 ({len(heard.pings)}번)"
        yield compared("PINGPONG 간격", "10–110초", shown, max(gaps) <= 115, "알려 주십시오")
    else:
        words = f"{listen_s:.0f}초 동안 {len(heard.pings)}번: --listen 240 으로 다시"
        yield unknown("PINGPONG 간격", "10–110초", words)
    shown = "답함" if heard.ponged else "답하지 않음"
    yield Answer("RFC 6455 ping 에 답하는가", "모름 (쓰지 않음)", shown, "같음")
    if heard.ended:
        yield Answer("연결", "열려 있음", heard.ended, "다름", "OPSP8996 이면 1분 쉬십시오")


NOT_ASKED = (
    unknown(
        "체결통보의 필드 수", "23, 붙은 23, 26", "주문 없이는 오지 않습니다: 첫 주문 때 봅니다"
    ),
    unknown("앱키 다섯이 통보를 각각 받는가", "모두 받고 한 번만 셈", "첫 체결 때 봅니다"),
    unknown(
        "유령 소켓이 남는 시간",
        "20초 쉬고 한 번",
        "일부러 끊으면 앱키가 막힐 수 있어 묻지 않습니다",
    ),
    unknown("2026-09-16 유량 공지", "kis-2026-04-20", "포털에서 사람이 읽어야 합니다"),
)


def cannot_ask(error: StockdError) -> Answer:
    """The whole websocket part could not be asked."""
    return unknown("웹소켓", "", str(error))
