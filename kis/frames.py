"""Frames: control JSON or data, and data into records. Bytes in, bytes out: nothing is decoded.

A data frame is ``<0|1>|TR|NNN|f^f^…``: 0 plain, 1 encrypted (the frame decides, not the ack), NNN
records, one after the other without another separator. A record's width is fields / NNN: H0STCNT0
had 46 until 2026-09-11, 47 since 2026-09-14 (fact sheet README §5), so it is never a constant.

The hot path is ``TradeReader.records``: a record is a list of byte strings. With one record a frame
only the first 14 fields are cut out and the rest stays one piece: ``[f0 … f13, b"f14^f15^…"]``;
``kis.parse`` reads both forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from kis.parse import HEAD, TRADE_WIDTH, parse_tick
from trading.errors import BadInput

TRADE, NOTICE_REAL, NOTICE_MOCK = "H0STCNT0", "H0STCNI0", "H0STCNI9"
TRADE_PREFIX = b"0|H0STCNT0|"
ONE_TRADE = TRADE_PREFIX + b"001|"
_BODY_AT = len(TRADE_PREFIX) + 4  # after "NNN|"
KNOWN_TRADE_WIDTHS = frozenset({46, 47})

Record = list[bytes]


@dataclass(frozen=True, slots=True)
class DataFrame:
    """The head of a data frame and its body, still encrypted if it says so."""

    encrypted: bool
    tr_id: str
    count: int
    body: bytes


def is_data(message: bytes) -> bool:
    """Data frames begin with 0 or 1, control messages with {."""
    return message[:2] in (b"0|", b"1|")


def split_frame(message: bytes) -> DataFrame:
    """Head and body of a data frame. BadInput when the head is not one."""
    parts = message.split(b"|", 3)
    if len(parts) != 4 or parts[0] not in (b"0", b"1") or not re.fullmatch(b"[A-Z0-9]+", parts[1]):
        raise BadInput("frame", message[:24], "<0|1>|TR|NNN| expected")
    if len(parts[2]) != 3 or not parts[2].isdigit() or parts[2] == b"000":
        raise BadInput("NNN", parts[2], "a record count of three digits expected")
    return DataFrame(parts[0] == b"1", parts[1].decode(), int(parts[2]), parts[3])


class TradeReader:
    """Trade frames into records, counting everything (P1). One per section.

    ``frames`` and ``records`` count what was handed on; ``bad`` the records that were announced
    but could not be read; ``short`` those of them that lack fields; ``extra_widths`` the widths
    above the known ones, for an alarm once each.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.records_read = 0
        self.bad = 0
        self.short = 0
        self.extra_widths: set[int] = set()
        self._width = 0  # of the last good frame; another one is looked at twice
        self.carets = -1  # separators in a one-record frame of that width
        self.last_bad = ""  # what was wrong last, for the log

    def records(self, message: bytes) -> list[Record]:
        """The readable records of one trade frame (it begins with ``TRADE_PREFIX``), in order.

        Announced records that cannot be found are counted in ``bad``; the others are not lost.
        Values are not checked here, except in frames with bytes that no number has.
        """
        if (
            message[:15] == ONE_TRADE
            and message.count(b"^") == self.carets
            and message.isascii()
            and b"_" not in message  # int() would take 1_000 for a number, and blanks
            and b" " not in message
        ):
            self.frames += 1
            self.records_read += 1
            record = message.split(b"^", HEAD)
            record[0] = record[0][_BODY_AT:]
            return [record]
        return self.records_of_many(message)

    def records_of_many(self, message: bytes) -> list[Record]:
        """``records`` for frames with several records, a new width, or anything odd in them."""
        self.frames += 1
        number = message[11:14]
        if message[14:15] != b"|" or not number.isdigit() or number == b"000":
            self.refuse(BadInput("NNN", number, "a record count of three digits expected"))
            return []
        count = int(number)
        body = message[_BODY_AT:]
        fields = body.split(b"^")
        width, left = divmod(len(fields), count)
        odd = width != self._width or not body.isascii() or b"_" in body or b" " in body
        if left or width < TRADE_WIDTH or not _is_regular(fields, width):
            records = self._resync(fields, count)
            odd = True
        else:
            records = [fields[at : at + width] for at in range(0, len(fields), width)]
        if odd:
            records = [record for record in records if self._is_readable(record)]
            if records and len(records) == count and not left:
                self._width = width
                self.carets = width - 1
                if width not in KNOWN_TRADE_WIDTHS:
                    self.extra_widths.add(width)
        self.records_read += len(records)
        return records

    def _resync(self, fields: Record, count: int) -> list[Record]:
        """Records found by their content when the count and the fields disagree."""
        starts = [at for at in range(len(fields) - 1) if _starts_trade(fields, at)]
        whole = [
            fields[at:end]
            for at, end in pairwise([*starts, len(fields)])
            if TRADE_WIDTH <= end - at <= max(KNOWN_TRADE_WIDTHS)
        ][:count]
        self.short += count - len(whole)
        self.bad += count - len(whole)
        self.last_bad = f"fields={len(fields)} for {count} records"
        return whole

    def _is_readable(self, record: Record) -> bool:
        try:
            parse_tick(record)
        except BadInput as error:
            self.refuse(error)
            return False
        return True

    def refuse(self, error: BadInput) -> None:
        """Count one record that could not be read; also for what the consumer cannot read."""
        self.bad += 1
        self.last_bad = str(error)

    def unread(self, record: Record) -> None:
        """A record that ``records`` handed on turned out unreadable: count it, name its field."""
        self.records_read -= 1
        if self._is_readable(record):
            self.refuse(BadInput("record", record[:HEAD], "not readable"))


_CODE = re.compile(rb"[0-9A-Z]{6,9}\Z")
_TIME = re.compile(rb"[0-2][0-9][0-5][0-9][0-5][0-9]\Z")
_DATE = re.compile(rb"20[0-9]{6}\Z")


def _is_regular(fields: Record, width: int) -> bool:
    """Whether BSOP_DATE stands at the same place of every record: a shifted one shows there."""
    on = fields[33]
    return len(on) == 8 and all(fields[at] == on for at in range(33 + width, len(fields), width))


def _starts_trade(fields: Record, at: int) -> bool:
    """Whether a trade record starts here: code, time, and the business date 33 fields on."""
    return bool(
        _CODE.match(fields[at])
        and _TIME.match(fields[at + 1])
        and len(fields) > at + 35
        and _DATE.match(fields[at + 33])
        and fields[at + 35] in (b"Y", b"N")
    )


def notice_records(text: bytes) -> list[list[str]]:
    """Records of a decrypted notice body, found by content: NNN may say 001 and hold several.

    Widths 23 (layouts A, B), 26 (C) and any other come out alike. BadInput if the text does not
    begin with a record; broken UTF-8 stays inside its own field.
    """
    fields = text.decode("utf-8", errors="replace").split("^")
    starts = [at for at in range(len(fields) - 16) if _starts_notice(fields, at)]
    if not starts or starts[0] != 0:
        raise BadInput("notice", f"{len(fields)} fields", "no record at its beginning")
    return [fields[at:end] for at, end in pairwise([*starts, len(fields)])]


def _digits(text: str, size: int) -> bool:
    return len(text) == size and text.isascii() and text.isdigit()


def _starts_notice(fields: list[str], at: int) -> bool:
    """Whether a notice record starts here: account, order number, side, time, CNTG_YN."""
    return (
        _digits(fields[at + 1], 10)
        and _digits(fields[at + 2], 10)
        and fields[at + 4] in ("01", "02")
        and _digits(fields[at + 11], 6)
        and _digits(fields[at + 13], 1)
    )
