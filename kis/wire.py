"""Wire: one websocket connection that never waits: websocket-client makes it, we read it."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import struct

import websocket

from kis.deframe import CLOSE, PONG, TEXT, VIOLATION, Control, Deframer
from trading.errors import Unavailable, Unreached

RECV_SIZE = 65536  # larger buffers cost an mmap each (docs/performance.md)
RECV_ROUNDS = 16  # reads in a row before the other sections get their turn
OUT_MAX = 1 << 20  # bytes the peer has not taken yet: beyond, it is not reading any more
_NOWHERE = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
_WOULD_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def encode(opcode: int, payload: bytes) -> bytes:
    """One whole client frame, masked as RFC 6455 wants it."""
    frame = websocket.ABNF.create_frame(payload, opcode)
    frame.get_mask_key = os.urandom
    return bytes(frame.format())


class Wire:
    """Bytes in, messages out, nothing blocks after the handshake; ``lost`` says why it ended."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        """Connect and shake hands; ``timeout`` in seconds. Unavailable if it fails, Unreached when
        not even a connection came about (one that was timed out may have: Unavailable)."""
        try:
            client = websocket.create_connection(
                url,
                timeout=timeout,
                skip_utf8_validation=True,
                http_no_proxy=["*"],
                enable_multithread=False,
            )
        except (websocket.WebSocketAddressException, OSError) as error:
            named = f"websocket: {type(error).__name__}"
            reached = isinstance(error, OSError) and error.errno not in _NOWHERE
            raise (Unavailable if reached else Unreached)(named) from None
        except (websocket.WebSocketException, ValueError) as error:
            raise Unavailable(f"websocket: {type(error).__name__}") from None
        if client.sock is None:
            raise Unavailable("websocket: no connection")
        self._sock: socket.socket = client.sock  # the handshake read not a byte past its header
        self._client = client
        self._sock.setblocking(False)
        self._deframer = Deframer()
        self._out = b""
        self.lost = ""

    def fileno(self) -> int:
        """For select; -1 once closed."""
        return self._sock.fileno()

    @property
    def has_unsent(self) -> bool:
        """Whether the peer has yet to take what was sent: select for writing too."""
        return bool(self._out)

    def receive(self) -> list[bytes | Control]:
        """Everything that is there. Pings are answered; a close or an error sets ``lost``."""
        messages: list[bytes | Control] = []
        for _ in range(RECV_ROUNDS):
            try:
                chunk = self._sock.recv(RECV_SIZE)
            except _WOULD_WAIT:
                break
            except OSError as error:
                self.lost = self.lost or f"receive: {type(error).__name__}"
                break
            if not chunk:
                self.lost = self.lost or "closed without a close frame"
                break
            messages += self._deframer.feed(chunk)
            if len(chunk) < RECV_SIZE and not isinstance(self._sock, ssl.SSLSocket):
                break
        if self._deframer.controls:
            self._deframer.controls = 0
            messages = [message for message in messages if not self._handled(message)]
        return messages

    def _handled(self, message: bytes | Control) -> bool:
        if not isinstance(message, Control):
            return False
        if message.opcode == CLOSE:
            code = struct.unpack(">H", message.payload[:2])[0] if message.payload else 1005
            self.lost = self.lost or f"closed by the server ({code})"
            self.send(CLOSE, message.payload[:2])
        elif message.opcode == VIOLATION:
            self.lost = self.lost or f"protocol broken: {message.payload.decode()}"
        elif message.opcode != PONG:  # a ping
            self.send(PONG, message.payload)
        return True

    def send_text(self, text: bytes) -> None:
        """Queue a text message and send what the peer takes now."""
        self.send(TEXT, text)

    def send(self, opcode: int, payload: bytes) -> None:
        """Queue a frame and send what the peer takes now."""
        self._out += encode(opcode, payload)
        self.flush()

    def flush(self) -> None:
        """Send what the peer takes now."""
        try:
            while self._out:
                self._out = self._out[self._sock.send(self._out) :]
        except _WOULD_WAIT:
            if len(self._out) > OUT_MAX:
                self.lost = self.lost or "the server does not read any more"
        except OSError as error:
            self.lost = self.lost or f"send: {type(error).__name__}"

    def close(self) -> None:
        """Drop the socket. What is still queued is tried once."""
        self.flush()
        self.lost = self.lost or "closed by us"
        self._client.shutdown()
