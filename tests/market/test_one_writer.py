"""A server that hung comes back with our old statement in its hands: the new connection ends it."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from db.ticks import TickWriter


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
