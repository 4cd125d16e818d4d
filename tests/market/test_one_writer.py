"""A server that hung comes back with our old statement in its hands: the new connection ends it."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, exc, text

from db.ticks import TickWriter, row_text
from runtime.loop import kst_now
from trading.conflation import StockState
from trading.errors import Unavailable
from trading.ticks import Tick


def test_a_writer_that_connects_anew_ends_its_former_connection(feed_db, until) -> None:
    engine = create_engine(feed_db.url)
    writer = TickWriter(engine)
    writer.open()
    former = writer._connected()
    number = former.thread_id()
    writer.open()  # the former one was given up without a word, as when no answer comes
    try:
        alive = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = :id"
        with engine.connect() as connection:
            until(lambda: connection.scalar(text(alive), {"id": number}) == 0)
        assert writer.is_open
    finally:
        writer.close()
        former._force_close()
        engine.dispose()


def test_an_answer_that_is_no_ok_is_still_named_and_the_next_statement_goes_out(feed_db) -> None:
    """The short way of reading an OK must not swallow a refusal, a warning's count or an end."""
    writer = TickWriter(feed_db.market)
    state = StockState("005930", 1, 7)
    tick = Tick("005930", kst_now(), *([70_000] * 10), False, "0", 0, "")
    row = row_text(state, tick)
    try:
        writer.write([row])
        with pytest.raises(exc.DBAPIError, match="Column count"):
            writer.write(["('005930',1)"])
        assert not writer.is_open, "what a refused statement left behind is not trusted"
        writer.write([row.replace(",7,", ",8,")])
        assert feed_db.one("SELECT seq FROM market WHERE symbol = '005930'") == 8
        number = writer._connected().thread_id()
        writer.send([row.replace(",7,", ",9,")])
        writer.finish()
        feed_db.do(f"KILL {number}")
        with pytest.raises(Unavailable):
            writer.write([row])
        assert feed_db.one("SELECT seq FROM market WHERE symbol = '005930'") == 9
    finally:
        writer.close()
