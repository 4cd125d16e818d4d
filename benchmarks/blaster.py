"""A sender of trade frames as fast as the receiver takes them: ``python -m benchmarks.blaster N``.

Prints its websocket address, serves one connection with exactly N records, then a close frame. It
does no work per frame (blocks are encoded before), so it is never the limit.
"""

from __future__ import annotations

import base64
import hashlib
import random
import socket
import sys

FIELDS = (
    "{symbol}^{at}^{price}^2^400^0.64^62700.41^62700^63000^62300^62700^62600^{volume}^{total}"
    "^607878273600^25807^15918^-9889^93.01^4614191^4291558^1^0.45^63.03^090013^3^0^090646^5^-300"
    "^100741^2^400^20230324^20^N^71292^244009^2795345^2044512^0.16^5367918^180.61^0^^62700"
)  # 46 fields, as the peers know them
BLOCK_FRAMES = 4096
BLOCKS_A_MINUTE = 25


def block(records_each: tuple[int, ...], seed: int = 1) -> list[tuple[bytes, int]]:
    """(encoded websocket frame, records in it); frames hold 1 or a mix of records."""
    dice = random.Random(seed)
    out: list[tuple[bytes, int]] = []
    for number in range(BLOCK_FRAMES):
        count = records_each[number % len(records_each)]
        records = []
        for _ in range(count):
            records.append(
                FIELDS.format(
                    symbol=f"{dice.randrange(200):06d}",
                    at=f"0900{number * 60 // BLOCK_FRAMES:02d}",
                    price=62_000 + 100 * dice.randrange(20),
                    volume=dice.randrange(1, 500),
                    total=9_000_000,  # blocks come again and again: it must not fall back
                )
            )
        body = f"0|H0STCNT0|{count:03d}|{'^'.join(records)}".encode()
        head = b"\x81" + (b"\x7e" + len(body).to_bytes(2, "big"))
        out.append((head + body, count))
    return out


def shake(conn: socket.socket) -> None:
    """The server's half of the websocket handshake, and no more."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += conn.recv(1)
    nonce = next(x for x in head.split(b"\r\n") if x.lower().startswith(b"sec-websocket-key"))
    seed = nonce.split(b":", 1)[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(seed).digest())  # noqa: S324  RFC 6455 wants it
    conn.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def serve(records: int, records_each: tuple[int, ...]) -> None:
    """Serve one receiver with exactly ``records`` records."""
    frames = block(records_each)
    whole = b"".join(encoded for encoded, _ in frames)
    in_block = sum(count for _, count in frames)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"ws://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        conn, _ = listener.accept()
        with conn:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            shake(conn)
            left = records
            blocks = 0
            while left >= in_block:
                conn.sendall(whole)
                left -= in_block
                blocks += 1
                if blocks % BLOCKS_A_MINUTE == 0:  # the exchange's clock goes on
                    now = blocks // BLOCKS_A_MINUTE
                    whole = whole.replace(b"^09%02d" % ((now - 1) % 60), b"^09%02d" % (now % 60))
            rest = b""
            for encoded, count in frames:
                if count > left:
                    break
                rest += encoded
                left -= count
            for encoded, count in frames:  # the last few, one record at a time
                if left and count == 1:
                    rest += encoded
                    left -= 1
            conn.sendall(rest + b"\x88\x02\x03\xe8")
            conn.settimeout(120)
            try:
                conn.recv(4096)  # its close, or its end
            except OSError:
                pass


if __name__ == "__main__":
    serve(int(sys.argv[1]), (1, 2, 3) if "mixed" in sys.argv else (1,))
