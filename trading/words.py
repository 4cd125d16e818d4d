"""Korean for the machine's codes, once for every screen, message and report.

The page has the same words in PHP (``gnuboard/plugin/stockd/lib/Words.php``); a test compares them.
"""

from __future__ import annotations

from trading.fills import Side
from trading.lifecycle import State

STATES: dict[str, str] = {
    State.CLAIMED: "대기",
    State.SENDING: "전송 중",
    State.ACCEPTED: "접수",
    State.REJECTED: "거부",
    State.UNKNOWN: "결과 불명",
    State.PART_FILLED: "일부 체결",
    State.FILLED: "체결",
    State.CANCELLED: "취소",
    State.EXPIRED: "만료",
    State.DENIED: "차단",
    State.NOT_SENT: "미전송",
}
SIDES: dict[str, str] = {Side.BUY: "매수", Side.SELL: "매도"}
OPS: dict[str, str] = {"LE": "이하", "GE": "이상"}
LANES: dict[str, str] = {
    "order": "주문",
    "confirm": "체결확인",
    "assets": "자산",
    "spare": "예비",
    "sweep": "잉여",
}
