"""The envelope of an answer: rt_cd, msg_cd, msg1 - or the flat error of the token door.

Any HTTP status may carry one: EGW00201 comes with 500, EGW00133 with 403 (fact sheet README §3).
"""

from __future__ import annotations

import json
from typing import Any

import requests

from trading.errors import AuthError, OutsideError, Refused, Throttled, Unavailable

# Gateway codes by what the caller does (fact sheet README §2, §3.2; portal code table).
THROTTLED = frozenset({"EGW00201", "EGW00215", "EGW00133"})
TOKEN_REFUSED = frozenset({"EGW00121", "EGW00123"})  # another token may help
AUTH = TOKEN_REFUSED | frozenset(
    {"EGW00122", "EGW00205", "EGW00102", "EGW00103", "EGW00104", "EGW00105", "EGW00115",
     "EGW00116", "EGW00206", "EGW00207", "EGW00303", "EGW00304"}
)  # fmt: skip
UNAVAILABLE = frozenset(
    {"EGW00001", "EGW00002", "EGW00202", "EGW00203", "EGW00300", "EGW00301", "EGW00302"}
)
EMPTY = "KIOK0560"  # 조회할 내용이 없습니다: empty, also when it comes with rt_cd 7


def error_of(code: str, reason: str) -> OutsideError:
    """The error class of one of the broker's codes; a code that is in no table is a refusal."""
    if code in THROTTLED:
        return Throttled(reason, code)
    if code in AUTH:
        return AuthError(reason, code)
    if code in UNAVAILABLE or not code:
        return Unavailable(reason, code)
    return Refused(reason, code)


def read_object(reply: requests.Response) -> dict[str, Any]:
    """The body as a JSON object. Unavailable when it is none (HTML of a proxy, cut off, empty)."""
    try:
        body = json.loads(reply.content)
    except ValueError:
        raise Unavailable(f"HTTP {reply.status_code} with a body that is not JSON") from None
    if not isinstance(body, dict):
        raise Unavailable(f"HTTP {reply.status_code} with a body that is not an object")
    return body


def lower(value: Any) -> Any:
    """Keys in lower case, deep: orders answer in upper case, one list in mixed case."""
    if isinstance(value, dict):
        return {str(name).lower(): lower(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [lower(inner) for inner in value]
    return value


def code_of(body: dict[str, Any]) -> tuple[str, str, str]:
    """(rt_cd, msg_cd, msg1 trimmed) of a lowered body; the flat error form is read as rt_cd 1."""
    if "rt_cd" in body:
        return (
            str(body["rt_cd"]).strip(),
            str(body.get("msg_cd", "")).strip(),
            str(body.get("msg1", "")).strip(),
        )
    if "error_code" in body:
        return "1", str(body["error_code"]).strip(), str(body.get("error_description", "")).strip()
    return "", "", ""
