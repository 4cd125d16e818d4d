"""The stack a soak runs on: private, in a directory of its own, with the simulator as broker."""

from __future__ import annotations

import os
from pathlib import Path

from runtime import wiring
from runtime.demo.broker import Broker, settings_of
from runtime.settings import Settings
from runtime.settings_source import CONFIG
from runtime.stack import programs
from runtime.stack.machine import Stack
from runtime.stack.place import Place

SECTIONS = 5
WATCHED_A_SECTION = 30  # the others of LISTED are left for the sweep, so that its lane works too
LISTED = 207
TRADES = "simkey-1"  # the app key that trades, as the simulator's log names it
DAY_ORDERS = 10_000  # the guard has its own drill; here orders go on for as long as the soak does


class SoakStack:
    """``up`` and ``down``; ``broker`` disturbs the simulator. Everything ends with this process."""

    def __init__(self, directory: Path, rate: float, seed: int, sections: int = SECTIONS) -> None:
        self.place = Place(directory.absolute())
        self.sections = sections
        ports = programs.free_ports(2)
        raw = settings_of(ports, sections)
        raw["kis"] |= {"env": "real"}  # the simulator's TR ids; the URLs are loopback
        options = (
            "--scenario=demo", f"--rate={rate}", f"--seed={seed}",
            f"--symbols={LISTED}", "--no-frame-log",
        )  # fmt: skip
        self.stack = Stack(
            self.place,
            Settings.model_validate(raw),
            simulator=programs.simulator(self.place, (ports[0], ports[1]), sections, options),
            bound=True,
            say=lambda line: None,
            before_daemons=self._choose_stocks,
        )
        self.broker = Broker(raw["kis"]["rest_url"])

    def up(self) -> None:
        """Start it. StockdError when it does not come up; nothing is left running then."""
        self.stack.up()

    def down(self) -> None:
        self.stack.down()

    def _choose_stocks(self, stack: Stack) -> None:
        listed = tuple(self.broker.get("stocks"))
        watched = listed[: WATCHED_A_SECTION * self.sections]
        known = stack.settings
        stack.settings = known.model_copy(
            update={
                "watch": known.watch.model_copy(update={"symbols": watched}),
                "sweep": known.sweep.model_copy(update={"symbols": listed[len(watched) :]}),
                "trade": known.trade.model_copy(update={"day_orders": DAY_ORDERS}),
            }
        )
        self.place.write_settings(stack.settings)
        # from here on this process is one of the stack's
        os.environ[CONFIG] = str(self.place.settings_file)
        wiring.forget()
        for section in stack.settings.kis.sections:
            # Redis and broker are both a moment old: no call can be on its way
            wiring.lanes(section.label).vouch()
