"""What a client may ask for on the websocket, and the OPSP code when it may not."""

import json
from dataclasses import dataclass
from typing import Any

MESSAGES = {
    "OPSP0000": "SUBSCRIBE SUCCESS",
    "OPSP0001": "UNSUBSCRIBE SUCCESS",
    "OPSP0002": "ALREADY IN SUBSCRIBE",
    "OPSP0003": "UNSUBSCRIBE ERROR(not found!)",
    "OPSP0007": "SUBSCRIBE INTERNAL ERROR",
    "OPSP0008": "MAX SUBSCRIBE OVER",
    "OPSP8991": "invalid tr_id",
    "OPSP8992": "invalid tr_key",
    "OPSP8996": "ALREADY IN USE appkey",
    "OPSP8997": "invalid tr_type",
    "OPSP8998": "invalid custtype",
    "OPSP9990": "tr_key not found",
    "OPSP9991": "input not found",
    "OPSP9992": "body not found",
    "OPSP9993": "internal error",
    "OPSP9996": "appkey not found",
    "OPSP9997": "custtype not found",
    "OPSP9998": "header not found",
    "OPSP9999": "invalid json format",
}
TRADES = "H0STCNT0"
# known to the broker; registered and acknowledged, nothing is sent for them here
SILENT = {"H0STASP0", "H0STANC0", "H0STMKO0", "H0UNCNT0", "H0UNASP0", "H0NXCNT0", "H0NXASP0"}
_PAPER_LACKS = {"H0STMKO0", "H0UNCNT0", "H0UNASP0", "H0NXCNT0", "H0NXASP0"}
MOST = 41


@dataclass(frozen=True, slots=True)
class Wish:
    """A well-formed request: tr_type "1" subscribe, "2" unsubscribe."""

    approval_key: str
    subscribe: bool
    tr_id: str
    tr_key: str


class Unwelcome(Exception):
    """A request the server refuses; tr_id and tr_key as far as they could be read."""

    def __init__(self, msg_cd: str, tr_id: str = "(null)", tr_key: str = "") -> None:
        super().__init__(msg_cd)
        self.msg_cd, self.tr_id, self.tr_key = msg_cd, tr_id, tr_key


def notice_tr(environment: str) -> str:
    """The fill notice's tr_id."""
    return "H0STCNI9" if environment == "paper" else "H0STCNI0"


def read(text: str, environment: str) -> Wish:
    """Read a request. Raises Unwelcome with the code that applies."""
    try:
        message = json.loads(text)
    except ValueError:
        raise Unwelcome("OPSP9999") from None
    if not isinstance(message, dict):
        raise Unwelcome("OPSP9999")
    header, body = message.get("header"), message.get("body")
    if not isinstance(header, dict):
        raise Unwelcome("OPSP9998")
    if not isinstance(body, dict):
        raise Unwelcome("OPSP9992")
    wanted = body.get("input")
    if not isinstance(wanted, dict):
        raise Unwelcome("OPSP9991")
    tr_id, tr_key = str(wanted.get("tr_id") or "(null)"), str(wanted.get("tr_key") or "")
    missing = _header_fault(header)
    if missing:
        raise Unwelcome(missing, tr_id, tr_key)
    if tr_id not in _known(environment):
        raise Unwelcome("OPSP8991", tr_id, tr_key)
    if not tr_key:
        raise Unwelcome("OPSP9990", tr_id, tr_key)
    return Wish(str(header["approval_key"]), str(header["tr_type"]) == "1", tr_id, tr_key)


def _header_fault(header: dict[str, Any]) -> str:
    if not header.get("approval_key"):
        return "OPSP9996"
    if "custtype" not in header:
        return "OPSP9997"
    if header["custtype"] not in ("P", "B"):
        return "OPSP8998"
    return "" if str(header.get("tr_type")) in ("1", "2") else "OPSP8997"


def _known(environment: str) -> set[str]:
    known = {TRADES, notice_tr(environment)} | SILENT
    return known - _PAPER_LACKS if environment == "paper" else known


def answer(
    msg_cd: str,
    tr_id: str,
    tr_key: str,
    *,
    encrypt: str = "N",
    output: dict[str, str] | None = None,
) -> dict[str, Any]:
    """An ack in the server's shape: rt_cd 0 for success, 9 for a key in use, 1 otherwise."""
    rt_cd = {"OPSP0000": "0", "OPSP0001": "0", "OPSP8996": "9"}.get(msg_cd, "1")
    body: dict[str, Any] = {"rt_cd": rt_cd, "msg_cd": msg_cd, "msg1": MESSAGES.get(msg_cd, "")}
    if output:
        body["output"] = output
    return {"header": {"tr_id": tr_id, "tr_key": tr_key, "encrypt": encrypt}, "body": body}
