"""One websocket connection: what it registered, what waits to be sent."""

import time
from asyncio import Transport
from typing import Any, cast

from aiohttp import web

from simulator import wire
from simulator.journal import Journal
from simulator.keys import Customer

_TOO_MUCH = 64 * 1024 * 1024  # bytes a client may be behind before it is cut off


class Session:
    """A connection of the feed. Frames are collected in `queue` and leave with `flush`."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, number: int) -> None:
        self.socket = socket
        self.number = number
        self.customer: Customer | None = None
        self.registered: dict[tuple[str, str], tuple[str, str]] = {}  # (tr_id, tr_key): key, iv
        self._transport = cast(Transport, request.transport)
        self._queue: list[bytes] = []
        self.pinged = time.monotonic()
        self.unanswered: float | None = None  # since when a PINGPONG waits for its answer
        self.closed_by_us = False  # with a close frame
        self.dropped_by_us = False  # without

    @property
    def label(self) -> str:
        """Name for logs: the app key's label, once it has shown one."""
        return self.customer.label if self.customer else f"unidentified-{self.number}"

    @property
    def open(self) -> bool:
        return not self._transport.is_closing()

    @property
    def behind(self) -> int:
        """Bytes sent that the client has not taken yet."""
        return self._transport.get_write_buffer_size() if self.open else 0

    def queue(self, data: bytes) -> None:
        """Add a finished frame to what leaves next."""
        self._queue.append(data)

    def flush(self) -> None:
        """Send what is queued in one write; cut a client off that does not read."""
        if not self._queue:
            return
        data = b"".join(self._queue)
        self._queue.clear()
        if self.open:
            self._transport.write(data)
            if self.behind > _TOO_MUCH:
                self.drop()

    def say(self, message: dict[str, Any], text: str, journal: Journal) -> None:
        """Send a control message at once, after what is queued."""
        journal.control_frame(self.label, message)
        self.queue(wire.frame(text.encode()))
        self.flush()

    def pong(self, payload: bytes) -> None:
        """Answer a ping of the client."""
        self.queue(wire.frame(payload, wire.PONG))
        self.flush()

    def close(self) -> None:
        """Close frame 1000, then the connection: what a tidy server does."""
        self.closed_by_us = True
        self.queue(wire.frame((1000).to_bytes(2, "big"), wire.CLOSE))
        self.flush()
        self._transport.close()

    def hang_up(self) -> None:
        """Close without a close frame, after what is queued (the client sees 1006)."""
        self.dropped_by_us = True
        self.flush()
        self._transport.close()

    def drop(self) -> None:
        """Cut the connection off in the middle of anything."""
        self.dropped_by_us = True
        self._transport.abort()
