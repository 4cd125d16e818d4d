"""RFC 6455 frames out of a byte stream, however it is cut: the reading half of a websocket.

websocket-client makes the connection; its own ``recv`` costs three system calls and a pure-Python
UTF-8 check a frame, a twenty-fifth of what this loop reads (docs/performance.md). The two are
held equal by a fuzz test (tests/kis/test_deframe.py).
"""

from __future__ import annotations

from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
VIOLATION = -1
MAX_MESSAGE = 16 * 1024 * 1024  # no frame of KIS is near that: a length above it is a lost stream


class Control(NamedTuple):
    """A control frame, or the end of a stream that broke the protocol (opcode ``VIOLATION``)."""

    opcode: int
    payload: bytes


class Deframer:
    """Feed chunks, take messages. Message payloads are ``bytes``, control frames ``Control``.

    After a close or a violation the stream is over: every later ``feed`` returns nothing.
    """

    __slots__ = ("_dead", "_parts", "_rest", "controls")

    def __init__(self) -> None:
        self._rest = b""
        self._parts: list[bytes] | None = None  # of a fragmented message under way
        self._dead = False
        self.controls = 0  # control frames handed on; the caller sets it back

    def feed(self, chunk: bytes) -> list[bytes | Control]:  # noqa: PLR0912  one loop, for speed
        """Everything that became complete with ``chunk``, in order."""
        if self._dead:
            return []
        buf = self._rest + chunk if self._rest else chunk
        out: list[bytes | Control] = []
        append = out.append
        at, size = 0, len(buf)
        whole = self._parts is None
        while size - at >= 2:
            first, length = buf[at], buf[at + 1]
            mask = b""
            if length < 126:
                start = at + 2
            elif length == 126:
                start = at + 4
                if start > size:
                    break
                length = buf[at + 2] << 8 | buf[at + 3]
            else:
                length, start, masked = _long_head(buf, at)
                if start > size:
                    break
                if length > MAX_MESSAGE:
                    return self._violate(out, "frame too long")
                if masked:
                    mask = buf[start - 4 : start]
            end = start + length
            if end > size:
                break
            if first == 0x81 and whole and not mask:  # a whole text message: nearly every frame
                append(buf[start:end])
            else:
                payload = _unmask(buf[start:end], mask) if mask else buf[start:end]
                reason = self._uncommon(first, payload, out)
                if reason:
                    return self._violate(out, reason)
                if self._dead:
                    return out
                whole = self._parts is None
            at = end
        self._rest = buf[at:] if at else buf
        return out

    def _uncommon(self, first: int, payload: bytes, out: list[bytes | Control]) -> str:
        """Fragments, binary and control frames. Returns what is wrong, "" if nothing."""
        final, opcode = first & 0x80, first & 0x0F
        if first & 0x70:
            return "reserved bits set"
        if opcode in (CLOSE, PING, PONG):
            if not final or len(payload) > 125 or (opcode == CLOSE and len(payload) == 1):
                return "bad control frame"
            self._dead = opcode == CLOSE  # nothing follows a close
            out.append(Control(opcode, payload))
            self.controls += 1
            return ""
        if opcode in (TEXT, BINARY):
            if self._parts is not None:
                return "new message inside a fragmented one"
            if final:
                out.append(payload)
            else:
                self._parts = [payload]
            return ""
        if opcode != 0:
            return f"unknown opcode {opcode}"
        if self._parts is None:
            return "continuation of nothing"
        self._parts.append(payload)
        if final:
            out.append(b"".join(self._parts))
            self._parts = None
        elif sum(map(len, self._parts)) > MAX_MESSAGE:
            return "message too long"
        return ""

    def _violate(self, out: list[bytes | Control], reason: str) -> list[bytes | Control]:
        self._dead = True
        self._rest = b""
        out.append(Control(VIOLATION, reason.encode()))
        self.controls += 1
        return out


def _long_head(buf: bytes, at: int) -> tuple[int, int, bool]:
    """(length, where the payload starts, masked) of a 64-bit or masked head; start > len: cut."""
    masked = bool(buf[at + 1] & 0x80)
    length = buf[at + 1] & 0x7F
    start = at + 2
    if length == 126:
        start = at + 4
        length = int.from_bytes(buf[at + 2 : start], "big")
    elif length == 127:
        start = at + 10
        length = int.from_bytes(buf[at + 2 : start], "big") if start <= len(buf) else 0
    return length, start + 4 if masked else start, masked


def _unmask(payload: bytes, mask: bytes) -> bytes:
    """XOR with the mask. A server must not mask; websocket-client reads it all the same."""
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
