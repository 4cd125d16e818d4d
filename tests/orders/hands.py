"""What the order tests do by hand: a trader that looks when it is told to, the command line."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner

from cli import stockd
from workers.trader import Trader, build


def fresh_trader() -> Trader:
    """The trader of the settings; nobody is woken, so a test serves its strikes itself."""
    trader = build()
    trader.wake = lambda: None
    return trader


def look(trader: Trader) -> int:
    """One look on a connection of its own; the strikes it made."""
    with trader.engine.connect() as connection:
        return trader.look(connection)


def say(*words: str) -> Any:
    """``stockd`` with these words; what it raises is raised."""
    done = CliRunner().invoke(stockd, words, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done
