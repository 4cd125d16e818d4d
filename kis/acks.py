"""Control messages of the websocket: acks, errors, PINGPONG - and what to do about each code.

Source: fact sheet ws/_protocol.json (code list of the portal).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum

from trading.errors import BadInput


class Reaction(StrEnum):
    """What a code asks of the section."""

    OK = "OK"  # as wished
    ALREADY = "ALREADY"  # the wish is already true: harmless, but never loop on it
    FULL = "FULL"  # 41 registrations: nothing more before something is taken off
    BAD_KEY_RENEW = "BAD_KEY_RENEW"  # another approval key, then connect again
    IN_USE_WAIT = "IN_USE_WAIT"  # a slot is taken elsewhere or by a ghost: at least 60 s of silence
    RETRY_LATER = "RETRY_LATER"  # the broker's own trouble: this registration again, later
    BAD_ITEM = "BAD_ITEM"  # this tr_key is refused: not again, the others go on
    CONFIG_ERROR = "CONFIG_ERROR"  # what we send is wrong: a person must look


REACTIONS: dict[str, Reaction] = {
    "OPSP0000": Reaction.OK,  # SUBSCRIBE SUCCESS
    "OPSP0001": Reaction.OK,  # UNSUBSCRIBE SUCCESS
    "OPSP0002": Reaction.ALREADY,  # ALREADY IN SUBSCRIBE
    "OPSP0003": Reaction.ALREADY,  # UNSUBSCRIBE ERROR(not found!)
    "OPSP0007": Reaction.RETRY_LATER,  # SUBSCRIBE INTERNAL ERROR
    "OPSP0008": Reaction.FULL,  # MAX SUBSCRIBE OVER
    "OPSP0009": Reaction.RETRY_LATER,  # SUBSCRIBE ERROR : mci send failed
    "OPSP0010": Reaction.BAD_KEY_RENEW,  # SUBSCRIBE WARNING : invalid appkey
    "OPSP0011": Reaction.BAD_KEY_RENEW,  # invalid approval : NOT FOUND
    "OPSP8991": Reaction.CONFIG_ERROR,  # invalid tr_id
    "OPSP8992": Reaction.BAD_ITEM,  # invalid tr_key
    "OPSP8993": Reaction.BAD_ITEM,  # JSON PARSING ERROR : invalid tr_key
    "OPSP8994": Reaction.CONFIG_ERROR,  # personalseckey not found
    "OPSP8995": Reaction.CONFIG_ERROR,  # appsecret not found
    "OPSP8996": Reaction.IN_USE_WAIT,  # ALREADY IN USE appkey
    "OPSP8997": Reaction.CONFIG_ERROR,  # invalid tr_type
    "OPSP8998": Reaction.CONFIG_ERROR,  # invalid custtype
    "OPSP8999": Reaction.RETRY_LATER,  # resource not available (ALLOC_CALL_PARAM)
    "OPSP9990": Reaction.CONFIG_ERROR,  # tr_key not found
    "OPSP9991": Reaction.CONFIG_ERROR,  # input not found
    "OPSP9992": Reaction.CONFIG_ERROR,  # body not found
    "OPSP9993": Reaction.RETRY_LATER,  # internal error
    "OPSP9994": Reaction.BAD_KEY_RENEW,  # INVALID appkey
    "OPSP9995": Reaction.RETRY_LATER,  # resource not available
    "OPSP9996": Reaction.CONFIG_ERROR,  # appkey not found
    "OPSP9997": Reaction.CONFIG_ERROR,  # custtype not found
    "OPSP9998": Reaction.CONFIG_ERROR,  # header not found
    "OPSP9999": Reaction.CONFIG_ERROR,  # invalid json format
}
UNSUBSCRIBED = frozenset({"OPSP0001", "OPSP0003"})  # answers to an unsubscribe


@dataclass(frozen=True, slots=True)
class Ack:
    """An answer to a registration. ``tr_id``/``tr_key`` are "" where KIS wrote (null) or nothing.

    ``iv`` and ``key`` come with every success, for plain channels too: keep them per tr_id.
    """

    tr_id: str
    tr_key: str
    code: str
    reaction: Reaction
    message: str = ""
    iv: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    @property
    def of_unsubscribe(self) -> bool:
        """Whether this can only answer an unsubscribe."""
        return self.code in UNSUBSCRIBED


@dataclass(frozen=True, slots=True)
class PingPong:
    """The keep-alive; it is answered with the very same bytes."""

    message: bytes


def _text(value: object) -> str:
    """A header value; JSON null and the text "(null)" are nothing."""
    return "" if value is None or value == "(null)" else str(value).strip()


def parse_control(message: bytes) -> Ack | PingPong:
    """A control message. BadInput for what is none, and for a code that is in no table."""
    try:
        root = json.loads(message.decode("utf-8", errors="replace"))
        header = root.get("header") or {}
        body = root.get("body") or {}
        if header.get("tr_id") == "PINGPONG":
            return PingPong(message)
        code = _text(body.get("msg_cd"))
        output = body.get("output") or {}
        iv, key = _text(output.get("iv")), _text(output.get("key"))
    except (ValueError, AttributeError, RecursionError):
        # Not the text itself: a control message can repeat the approval key.
        size = f"{len(message)} bytes"
        raise BadInput("control", size, "JSON of header and body expected") from None
    if code not in REACTIONS:
        raise BadInput("msg_cd", code, "unknown code")
    tr_id, tr_key = _text(header.get("tr_id")), _text(header.get("tr_key"))
    text = "" if code == "OPSP0011" else _text(body.get("msg1"))  # 0011 repeats the approval key
    return Ack(tr_id, tr_key, code, REACTIONS[code], text, iv, key)
