"""Our deframer against websocket-client's own recv: any frames, cut anywhere, read the same."""

from __future__ import annotations

import socket

import pytest
import websocket
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websocket._abnf import continuous_frame, frame_buffer

from kis.deframe import BINARY, CLOSE, PING, PONG, TEXT, VIOLATION, Control, Deframer
from kis.wire import encode


def raw(opcode: int, payload: bytes, fin: bool = True, mask: bytes = b"", rsv: int = 0) -> bytes:
    """One frame by the letter of RFC 6455, section 5.2."""
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + len(payload).to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + len(payload).to_bytes(8, "big")
    if mask:
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return head + mask + payload


class Oracle(websocket.WebSocket):
    """websocket-client's reading half over bytes that are already there."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(skip_utf8_validation=True)
        self._stream, self._at = stream, 0
        self.frame_buffer = frame_buffer(self._recv, True)
        self.cont_frame = continuous_frame(False, True)

    def _recv(self, size: int) -> bytes:
        if self._at >= len(self._stream):
            raise EOFError
        chunk = self._stream[self._at : self._at + size]
        self._at += len(chunk)
        return chunk

    def pong(self, payload: bytes = b"") -> None: ...

    def send_close(self, *_: object) -> None: ...

    def read_all(self) -> list[tuple[int, bytes]]:
        out: list[tuple[int, bytes]] = []
        while True:
            try:
                opcode, frame = self.recv_data_frame(control_frame=True)
            except EOFError:
                return out
            except websocket.WebSocketException:
                return [*out, (VIOLATION, b"")]
            out.append((opcode, bytes(frame.data)))
            if opcode == CLOSE:
                return out


def ours(stream: bytes, cuts: list[int]) -> list[tuple[int, bytes]]:
    deframer, out, at = Deframer(), [], 0
    for cut in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        out += deframer.feed(stream[at:cut])
        at = cut
    return [
        (message.opcode, b"" if message.opcode == VIOLATION else message.payload)
        if isinstance(message, Control)
        else (TEXT, message)
        for message in out
    ]


payloads = st.one_of(
    st.binary(max_size=140),
    st.builds(bytes, st.sampled_from([124, 125, 126, 127, 65535, 65536, 70000])),
)
masks = st.one_of(st.just(b""), st.binary(min_size=4, max_size=4))
messages = st.one_of(
    st.builds(lambda p, m: raw(TEXT, p, mask=m), payloads, masks),
    st.builds(lambda p, m: raw(BINARY, p, mask=m), payloads, masks),
    st.builds(lambda p, m: raw(PING, p[:125], mask=m), payloads, masks),
    st.builds(lambda p, m: raw(PONG, p[:125], mask=m), payloads, masks),
    st.builds(  # a fragmented message with a ping in its middle
        lambda parts, m: (
            raw(TEXT, parts[0], fin=False, mask=m)
            + raw(PING, b"x")
            + b"".join(raw(0, part, fin=False, mask=m) for part in parts[1:])
            + raw(0, b"end")
        ),
        st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=4),
        masks,
    ),
)
endings = st.one_of(
    st.just(b""),
    st.just(raw(CLOSE, b"\x03\xe8") + raw(TEXT, b"after the close")),
    st.just(raw(CLOSE, b"x")),
    st.just(raw(0, b"continuation of nothing")),
    st.just(raw(TEXT, b"x", fin=False) + raw(TEXT, b"y")),
    st.just(raw(3, b"unknown opcode")),
    st.just(raw(PING, b"x", fin=False)),
    st.builds(lambda rsv: raw(TEXT, b"x", rsv=rsv) + raw(TEXT, b"z"), st.integers(1, 7)),
    st.binary(max_size=9).map(lambda cut: raw(TEXT, b"cut off" * 30)[: len(cut)]),
)


@settings(max_examples=400, deadline=None, print_blob=True)
@given(st.lists(messages, max_size=12), endings, st.lists(st.integers(0, 10**6), max_size=30))
@example([raw(TEXT, b"a" * 126)] * 3, b"", list(range(400)))
def test_any_stream_cut_anywhere_reads_as_websocket_client_reads_it(frames, ending, cuts):
    stream = b"".join(frames) + ending
    oracle = [(TEXT if op == BINARY else op, data) for op, data in Oracle(stream).read_all()]
    assert ours(stream, cuts) == oracle


def test_byte_by_byte():
    stream = raw(TEXT, b"hello") + raw(PING, b"p") + raw(TEXT, b"w" * 300, mask=b"abcd")
    assert ours(stream, list(range(len(stream)))) == [
        (TEXT, b"hello"), (PING, b"p"), (TEXT, b"w" * 300),
    ]  # fmt: skip


@pytest.mark.parametrize("head", [b"\x81\x7f" + b"\xff" * 8, b"\x81\xff" + b"\x7f" + b"\xff" * 7])
def test_an_absurd_length_ends_the_stream_instead_of_eating_the_memory(head: bytes):
    deframer = Deframer()
    out = deframer.feed(raw(TEXT, b"good") + head + b"\0" * 8)
    assert out[0] == b"good"
    assert out[1].opcode == VIOLATION
    assert deframer.feed(raw(TEXT, b"later")) == []


def test_what_we_send_is_masked_and_reads_back():
    left, right = socket.socketpair()
    with left, right:
        left.sendall(encode(TEXT, "구독".encode()))
        data = right.recv(1000)
    assert data[1] & 0x80
    assert Deframer().feed(data) == ["구독".encode()]
