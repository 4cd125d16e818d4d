"""One section's day: connect, register 41, ticks, notices, a changed watch list, the end."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kis.acks import REACTIONS, Ack, PingPong, Reaction, parse_control
from kis.deframe import CLOSE, PING, TEXT, Control, Deframer
from kis.keys import Env, KisKey
from kis.parse import parse_tick
from kis.reconnect import next_attempt, pause_s
from kis.registrations import SUBSCRIBE, UNSUBSCRIBE, Registrations
from kis.stream import Lost, Noticed, Refusal, Registered, Section, Unread
from trading.errors import BadInput, Unavailable
from trading.fills import NoticeKind

PAYLOADS = Path(__file__).parents[1] / "payloads"
VECTOR = json.loads((PAYLOADS / "aes_vector.json").read_text("utf-8"))
FRAMES = {row["id"]: row for row in json.loads((PAYLOADS / "ws_frames.json").read_text("utf-8"))}
CONTROL = {row["id"]: row for row in json.loads((PAYLOADS / "ws_control.json").read_text("utf-8"))}
TRADE = FRAMES["H0STCNT0-20230324"]["frame"].encode()
KEY = KisKey("one", "APPKEY-SECRET", "APPSECRET-SECRET", "50000000-01", "HTSUSER1")
APPROVAL = "11111111-approval-secret"
ALL_CODES = json.loads(
    '["OPSP0000","OPSP0001","OPSP0002","OPSP0003","OPSP0007","OPSP0008","OPSP0009","OPSP0010",'
    '"OPSP0011","OPSP8991","OPSP8992","OPSP8993","OPSP8994","OPSP8995","OPSP8996","OPSP8997",'
    '"OPSP8998","OPSP8999","OPSP9990","OPSP9991","OPSP9992","OPSP9993","OPSP9994","OPSP9995",'
    '"OPSP9996","OPSP9997","OPSP9998","OPSP9999"]'
)


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    size = len(payload)
    head = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + head + payload


class Kis:
    """A websocket server by the letter, one connection at a time; it answers as the test says."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/tryitout"
        self.asked: list[tuple[float, str, str, str]] = []  # time, tr_type, tr_id, tr_key
        self.others: list[bytes | Control] = []
        self.refuse: dict[str, str] = {}  # tr_key -> code
        self.anonymous = False  # errors come without tr_id and tr_key
        self.quiet = False
        self.conn: socket.socket | None = None
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with conn:
                self.conn = conn
                self._handshake(conn)
                deframer = Deframer()
                while True:
                    try:
                        chunk = conn.recv(65536)
                    except OSError:
                        break
                    if not chunk:
                        break
                    for message in deframer.feed(chunk):
                        self._take(conn, message)
            self.conn = None

    @staticmethod
    def _handshake(conn: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += conn.recv(1)
        nonce = next(x for x in head.split(b"\r\n") if x.lower().startswith(b"sec-websocket-key"))
        seed = nonce.split(b":", 1)[1].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(seed).digest())  # noqa: S324  RFC 6455
        conn.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + frame(TRADE)  # data right behind
        )

    def _take(self, conn: socket.socket, message: bytes | Control) -> None:
        try:
            root = json.loads(message) if isinstance(message, bytes) else None
        except ValueError:
            root = None
        if not root or "body" not in root:
            self.others.append(message)
            return
        asked = root["body"]["input"]
        tr_type = root["header"]["tr_type"]
        assert root["header"]["approval_key"] == APPROVAL
        self.asked.append((time.monotonic(), tr_type, asked["tr_id"], asked["tr_key"]))
        if self.quiet:
            return
        code = self.refuse.get(asked["tr_key"]) or ("OPSP0000" if tr_type == "1" else "OPSP0001")
        anonymous = self.anonymous and code in self.refuse.values()
        body = {"rt_cd": "0" if code in ("OPSP0000", "OPSP0001") else "1", "msg_cd": code}
        if code == "OPSP0000":
            notice = asked["tr_id"].startswith("H0STCNI")
            body["output"] = {
                "iv": VECTOR["iv"] if notice else "f" * 16,
                "key": VECTOR["key"] if notice else "f" * 32,
            }
        header = {
            "tr_id": None if anonymous else asked["tr_id"],
            "tr_key": "" if anonymous else asked["tr_key"],
            "encrypt": "N",
        }
        conn.sendall(frame(TRADE) + frame(json.dumps({"header": header, "body": body}).encode()))

    def send(self, data: bytes) -> None:
        assert self.conn is not None
        self.conn.sendall(data)


@pytest.fixture
def kis() -> Iterator[Kis]:
    server = Kis()
    yield server
    server.listener.close()
    if server.conn is not None:
        server.conn.close()


@pytest.fixture
def section(kis: Kis) -> Iterator[Section]:
    section = Section(KEY, Env.MOCK, kis.url)
    yield section
    section.abort("test is over")


def run(section: Section, until: Callable[[list], bool], seconds: float = 15.0) -> list:
    out: list = []
    ends = time.monotonic() + seconds
    while not until(out):
        assert time.monotonic() < ends, f"not reached; got {out[-5:]}"
        out += section.step(0.01)
    return out


def lost(out: list) -> bool:
    return any(isinstance(event, Lost) for event in out)


SYMBOLS = [f"{number:06d}" for number in range(1, 41)]


def test_forty_stocks_and_the_notice_register_while_data_flows(kis: Kis, section: Section):
    section.want(SYMBOLS)
    section.open(APPROVAL)
    out = run(section, lambda _: section.settled)
    assert section.held == SYMBOLS
    assert section.has_notice
    times = [at for at, *_ in kis.asked]
    assert len(times) == 41
    assert (times[-1] - times[0]) / 40 >= 0.095  # paced
    ticks = [event for event in out if isinstance(event, bytes)]
    assert len(ticks) == 42, "the tick behind the handshake and one before each ack"
    read = [record for tick in ticks for record in section.trades.records(tick)]
    assert {record[0] for record in read} == {b"005930"}
    assert section.trades.records_read == 42
    assert parse_tick(read[0]).price == 62700

    kis.send(frame(VECTOR["frame"].encode()))  # its key was not overwritten by the quote acks
    (event,) = run(section, bool)
    assert isinstance(event, Noticed)
    assert (event.notice.kind, event.notice.quantity) == (NoticeKind.FILL, 3)

    started = time.monotonic()
    out = section.close()
    assert time.monotonic() - started < 3.0
    assert out[-1] == Lost("closed by us", clean=True)
    assert [row[1] for row in kis.asked[41:]] == ["2"] * 41
    time.sleep(0.05)
    assert Control(CLOSE, b"\x03\xe8") in kis.others


def test_a_changed_list_goes_out_as_unsubscribe_ack_subscribe(kis: Kis, section: Section):
    section.want(SYMBOLS[:3])
    section.open(APPROVAL)
    run(section, lambda _: section.settled)
    before = len(kis.asked)
    section.want([*SYMBOLS[1:3], "035720"])
    run(section, lambda _: section.settled)
    assert [row[1:] for row in kis.asked[before:]] == [
        ("2", "H0STCNT0", "000001"), ("1", "H0STCNT0", "035720"),
    ]  # fmt: skip
    with pytest.raises(BadInput, match="000099"):
        section.want([*SYMBOLS, "000099"])
    assert set(section.held) == {"000002", "000003", "035720"}


@pytest.mark.parametrize("anonymous", [False, True])
def test_one_refused_stock_does_not_stop_the_others(kis: Kis, section: Section, anonymous: bool):
    kis.refuse, kis.anonymous = {"000002": "OPSP8992"}, anonymous
    section.want(SYMBOLS[:3])
    section.open(APPROVAL)
    out = run(section, lambda _: len(section.held) == 2 and section.has_notice)
    (refusal,) = [event for event in out if isinstance(event, Refusal)]
    assert refusal.registration == ("H0STCNT0", "000002")
    assert refusal.ack.reaction is Reaction.BAD_ITEM
    assert section.held == ["000001", "000003"]
    assert section.refused == {"000002": "OPSP8992"}
    section.want(["000001", "000003"])
    assert section.refused == {}, "nobody asks for it any more"


@pytest.mark.parametrize(
    ("code", "reaction"),
    [("OPSP8996", Reaction.IN_USE_WAIT), ("OPSP0011", Reaction.BAD_KEY_RENEW)],
)
def test_a_taken_slot_or_a_bad_key_ends_the_section(kis, section, code, reaction):
    kis.refuse, kis.anonymous = {"HTSUSER1": code}, True
    section.want(SYMBOLS[:3])
    section.open(APPROVAL)
    out = run(section, lost)
    assert out[-1].reaction is reaction
    assert not out[-1].clean
    assert not section.is_open
    assert len(kis.asked) == 1


def test_keep_alives_are_answered(kis: Kis, section: Section):
    section.open(APPROVAL)
    run(section, bool)
    pingpong = json.dumps(CONTROL["pingpong"]["json"]).encode()
    kis.send(frame(pingpong) + frame(b"are you there", PING) + frame(TRADE))
    run(section, bool)
    ends = time.monotonic() + 5
    while len(kis.others) < 2 and time.monotonic() < ends:
        time.sleep(0.01)
    assert pingpong in kis.others, "the very same bytes"
    assert Control(0xA, b"are you there") in kis.others


def test_rubbish_costs_itself_not_the_connection(kis: Kis, section: Section):
    section.want(SYMBOLS[:1])
    section.open(APPROVAL)
    run(section, lambda _: section.settled)
    rubbish = [b"\xff\xfe", b"{", b"[]", b'{"header":{},"body":{"msg_cd":"OPSP4711"}}', b"0|X",
               b"1|H0STCNI9|001|AAAA", b"0|H0NXCNT0|001|x", b"0|H0STCNI9|001|x^y",
               b'{"header":[],"body":1}', b"9" * 70]  # fmt: skip
    kis.send(b"".join(map(frame, rubbish)) + frame(TRADE))
    out = run(section, lambda out: TRADE in out)
    assert len([event for event in out if isinstance(event, Unread)]) == len(rubbish)
    assert section.is_open


@pytest.mark.parametrize(
    ("goodbye", "said"),
    [
        (frame(b"\x03\xe8", CLOSE), "closed by the server (1000)"),
        (frame(b"", CLOSE), "closed by the server (1005)"),
        (b"\x83\x00", "protocol broken"),
        (b"", "without a close frame"),
    ],
)
def test_each_way_a_connection_ends(kis: Kis, section: Section, goodbye: bytes, said: str):
    section.open(APPROVAL)
    run(section, bool)
    kis.send(frame(TRADE) + goodbye)
    if not goodbye:
        kis.conn.shutdown(socket.SHUT_RDWR)
    out = run(section, lost)
    assert TRADE in out, "what came before the end is not lost"
    assert said in out[-1].reason
    assert section.step() == []


def test_after_a_drop_everything_is_registered_anew(kis: Kis, section: Section):
    section.want(SYMBOLS[:2])
    section.open(APPROVAL)
    run(section, lambda _: section.settled)
    section.abort("silent")
    assert section.held == []
    section.open(APPROVAL)
    run(section, lambda _: section.settled)
    assert section.held == SYMBOLS[:2]
    assert len(kis.asked) == 6


def test_a_server_that_never_acks_does_not_hold_the_close(kis: Kis, section: Section):
    section.want(SYMBOLS[:3])
    section.open(APPROVAL)
    run(section, lambda _: section.settled)
    kis.quiet = True
    started = time.monotonic()
    out = section.close(timeout=0.5)
    assert time.monotonic() - started < 2
    assert isinstance(out[-1], Lost)
    assert not out[-1].clean


def test_nobody_home_is_unavailable_and_names_no_secret():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"ws://127.0.0.1:{closed.getsockname()[1]}/"
    with pytest.raises(Unavailable) as caught:
        Section(KEY, Env.MOCK, url).open(APPROVAL)
    assert "SECRET" not in str(caught.value).upper()


# -- the tables -------------------------------------------------------------------------------


def test_every_code_of_the_portal_has_its_reaction():
    assert sorted(REACTIONS) == sorted(ALL_CODES)


@pytest.mark.parametrize("code", ALL_CODES)
def test_each_code_reads(code: str):
    for header in ({"tr_id": "(null)", "tr_key": ""}, {"tr_id": None}, None):
        message = json.dumps({"header": header, "body": {"rt_cd": "1", "msg_cd": code}})
        ack = parse_control(message.encode())
        assert isinstance(ack, Ack)
        assert (ack.reaction, ack.tr_id, ack.tr_key) == (REACTIONS[code], "", "")


def test_the_genuine_control_messages_read():
    ack = parse_control(json.dumps(CONTROL["ack-ok"]["json"]).encode())
    assert isinstance(ack, Ack)
    assert (ack.tr_id, ack.tr_key, ack.reaction) == ("H0STASP0", "005930", Reaction.OK)
    assert (len(ack.key), len(ack.iv)) == (32, 16)
    assert ack.key not in repr(ack)
    refused = parse_control(json.dumps(CONTROL["ack-error-approval"]["json"]).encode())
    assert refused.reaction is Reaction.BAD_KEY_RENEW
    assert refused.message == "", "it repeats the approval key"
    assert isinstance(parse_control(json.dumps(CONTROL["pingpong"]["json"]).encode()), PingPong)


def test_full_waits_for_a_free_slot():
    book, full = Registrations(), Ack("H0STCNT0", "B", "OPSP0008", Reaction.FULL)
    book.wish([("H0STCNT0", "A"), ("H0STCNT0", "B")])
    assert book.next_due(0.0) == (SUBSCRIBE, ("H0STCNT0", "A"))
    book.answer(Ack("H0STCNT0", "A", "OPSP0000", Reaction.OK), 0.1)
    assert book.next_due(0.2) == (SUBSCRIBE, ("H0STCNT0", "B"))
    assert book.answer(full, 0.3) == ("H0STCNT0", "B")
    assert book.next_due(5.0) is None
    book.wish([("H0STCNT0", "B")])
    assert book.next_due(5.1) == (UNSUBSCRIBE, ("H0STCNT0", "A"))
    assert book.next_due(5.3) is None, "not before the ack"
    book.answer(Ack("H0STCNT0", "A", "OPSP0001", Reaction.OK), 5.4)
    assert book.next_due(5.5) == (SUBSCRIBE, ("H0STCNT0", "B"))


@pytest.mark.parametrize("code", sorted(set(ALL_CODES) - {"OPSP0000", "OPSP0001"}))
def test_a_refusal_is_told_unless_it_is_asked_again_soon_or_true_already(code: str):
    """CONFIG_ERROR says that a person must look: so a person is told (runtime/alarms)."""
    book, stock = Registrations(), ("H0STCNT0", "A")
    book.wish([stock])
    book.next_due(0.0)
    reaction = REACTIONS[code]
    answered = book.answer(Ack("H0STCNT0", "A", code, reaction), 0.1)
    if code == "OPSP0003":
        assert answered is None, "an answer to an unsubscribe, and none was asked"
        return
    silent = reaction in (Reaction.ALREADY, Reaction.RETRY_LATER)
    assert book.refused == ({} if silent else {stock: code})
    again = {Reaction.FULL: 31.0, Reaction.RETRY_LATER: 11.0}.get(reaction)
    assert book.next_due(9.0) is None
    assert book.next_due(3600.0 if again is None else again) == (again and (SUBSCRIBE, stock))
    book.connection_lost()
    assert book.refused == {}


def test_a_registration_nobody_answers_is_asked_again_but_not_for_ever():
    book = Registrations()
    book.wish([("H0STCNT0", "A")])
    asked = [at for at in range(0, 120) if book.next_due(float(at))]
    assert asked == [0, 6, 12, 78, 84, 90]


def test_pauses_grow_and_in_use_waits_a_minute():
    assert [pause_s(n, 0.0) for n in range(1, 8)] == [5, 10, 20, 60, 120, 300, 300]
    assert min(pause_s(n, 0.0, in_use=True) for n in range(0, 9)) == 60
    assert pause_s(1, 0.999) > 6
    assert (next_attempt(3, 500.0), next_attempt(3, 4.0)) == (1, 4)


def test_what_is_registered_is_reported(kis: Kis, section: Section):
    section.want(SYMBOLS[:1], notice=False)
    section.open(APPROVAL)
    out = run(section, lambda _: section.settled)
    assert Registered(("H0STCNT0", "000001"), True) in out
    assert not section.has_notice
