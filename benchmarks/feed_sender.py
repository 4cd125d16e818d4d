"""A KIS that sends at a fixed rate: ``python -m benchmarks.feed_sender RATE SECONDS SECTIONS OUT``.

Prints its address and starts when every section has its stocks; RATE 0: as fast as they are read.

Frames are encoded before; one slot a millisecond. OUT gets JSON: when each slot went out, which
stocks it carried, and the last price of each stock: the truth the table is held against.
"""

from __future__ import annotations

import gc
import json
import random
import socket
import sys
import threading
import time
from pathlib import Path

from benchmarks.blaster import FIELDS, shake

SLOTS = 1000  # one second, sent again and again
STOCKS = 40


def symbol_of(section: int, number: int) -> str:
    """Made-up codes, the same in every run."""
    return f"{section * 100 + number:06d}"


def layout(rate: int, section: int, sections: int) -> list[list[tuple[str, int]]]:
    """(stock, price) of each record of each slot of one section."""
    dice = random.Random(section)
    slots: list[list[tuple[str, int]]] = [[] for _ in range(SLOTS)]
    for at in range(rate // sections):
        number = at if at < STOCKS else dice.randrange(STOCKS)
        pair = (symbol_of(section, number), 50_000 + 100 * dice.randrange(100))
        slots[at * SLOTS * sections // rate].append(pair)
    return slots


def encode(slots: list[list[tuple[str, int]]], hhmm: str, day: str) -> list[bytes]:
    """Each slot as the bytes of its websocket frames, one record a frame."""
    out = []
    for slot in slots:
        frames = []
        for symbol, price in slot:
            record = FIELDS.format(symbol=symbol, at=f"{hhmm}00", price=price, volume=7, total=9)
            body = f"0|H0STCNT0|001|{record.replace('20230324', day)}".encode()
            frames.append(b"\x81\x7e" + len(body).to_bytes(2, "big") + body)
        out.append(b"".join(frames))
    return out


def minute_of(unix: float) -> tuple[str, str]:
    """(HHMM, YYYYMMDD) in KST."""
    at = time.gmtime(unix + 9 * 3600)
    return time.strftime("%H%M", at), time.strftime("%Y%m%d", at)


def acks_of(conn: socket.socket, ready: threading.Event) -> None:
    """Answer registrations until the connection ends; ``ready`` after the stocks are in."""
    buf, stocks = b"", 0
    while True:
        try:
            chunk = conn.recv(65536)
        except OSError:
            return
        if not chunk:
            return
        buf += chunk
        while len(buf) >= 6:
            size, at = buf[1] & 0x7F, 2
            if size == 126:
                size, at = int.from_bytes(buf[2:4], "big"), 4
            if len(buf) < at + 4 + size:
                break
            mask, body = buf[at : at + 4], buf[at + 4 : at + 4 + size]
            opcode, buf = buf[0] & 15, buf[at + 4 + size :]
            if opcode != 1:
                continue
            wish = json.loads(bytes(byte ^ mask[i % 4] for i, byte in enumerate(body)))
            key, off = wish["body"]["input"], wish["header"]["tr_type"] == "2"
            answer = {
                "header": {**key, "encrypt": "N"},
                "body": {"rt_cd": "0", "msg_cd": "OPSP0001" if off else "OPSP0000", "msg1": "OK"},
            }
            text = json.dumps(answer).encode()
            try:
                conn.sendall(b"\x81\x7e" + len(text).to_bytes(2, "big") + text)
            except OSError:
                return
            stocks += key["tr_id"] == "H0STCNT0" and not off
            if stocks == STOCKS:
                ready.set()


def main(rate: int, seconds: float, sections: int, out: Path) -> None:
    """Serve, send, write the truth."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"ws://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        conns, ready = [], []
        for _ in range(sections):
            conn, _ = listener.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            shake(conn)
            ready.append(threading.Event())
            threading.Thread(target=acks_of, args=(conn, ready[-1]), daemon=True).start()
            conns.append(conn)
        for one in ready:
            one.wait(60)
    time.sleep(0.5)
    paced = rate or 50_000
    plans = [layout(paced, number, sections) for number in range(1, sections + 1)]
    # all minutes it will meet are encoded before the first slot: a sender that encodes while it
    # sends falls behind and then makes up for it in a burst, which no exchange does
    minutes = {
        stamp: [encode(plan, *stamp) for plan in plans]
        for stamp in (minute_of(time.time() + ahead) for ahead in range(0, int(seconds) + 90, 30))
    }
    sent_at: list[float] = []
    blocks: list[list[bytes]] = []
    gc.disable()
    started = time.monotonic()
    for slot in range(int(seconds * SLOTS)):
        if slot % SLOTS == 0:
            blocks = minutes[minute_of(time.time())]
        if rate:
            wait = started + slot / SLOTS - time.monotonic()
            if wait > 0:
                time.sleep(wait)
        sent_at.append(time.time())
        for conn, block in zip(conns, blocks, strict=True):
            if block[slot % SLOTS]:
                conn.sendall(block[slot % SLOTS])
    last = {symbol: price for plan in plans for one in plan for symbol, price in one}
    out.write_text(
        json.dumps(
            {
                "sent_at": sent_at,
                "slots": [[s for plan in plans for s, _ in plan[at]] for at in range(SLOTS)],
                "last": last,
            }
        ),
        "utf-8",
    )
    print("sent", flush=True)
    sys.stdin.readline()  # the connections stay until the receiver is done


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
