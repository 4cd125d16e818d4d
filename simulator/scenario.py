"""What kind of day it is: the knobs of the simulator, from TOML, changeable while it runs."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Scenario:
    """Every knob. Seconds are real seconds, rates are probabilities 0..1, money is won."""

    name: str = "calm"
    # the broker
    environment: str = "real"  # real | paper
    ceiling: int = 18  # REST calls an app key in a rolling second
    ledger_per_s: int = 1  # ledger queries an account in a rolling second; 0 = no limit
    token_gap_s: float = 60.0  # a second issue within this is refused (EGW00133)
    token_life_s: float = 86_400.0
    token_same_s: float = 21_600.0  # asked again within this: the same token
    designations: dict[str, str] = field(default_factory=dict)  # code: iscd_stat_cls_code
    page_balance: int = 0  # rows a page; 0 = the broker's own (50 real, 20 paper)
    page_orders: int = 0  # 0 = 100 real, 15 paper
    refusal_rt_cd: str = "1"  # "1" and "7" were both seen
    hours: str = "always"  # always | krx: orders and ticks only 09:00-15:20, 15:30
    # the feed
    rate: float = 200.0  # records a second over all subscribed stocks
    records_max: int = 3  # most records in one frame
    width: int = 47  # fields a record: 46, 47, 48
    skew: float = 1.0  # above 1: few stocks trade much, many little
    move: float = 0.5  # share of trades that move the price by a step
    ghost_s: float = 0.0  # slot stays taken this long after a drop without a close frame
    pingpong_s: float = 10.0
    pingpong_cut_s: float = 100.0
    answer_pings: bool = True
    stop_ticks: bool = False
    fragment: float = 0.0  # text frames sent in two fragments
    invalid_utf8: float = 0.0  # frames with a broken byte
    # orders and notices
    cash: int = 100_000_000
    holdings: dict[str, list[int]] = field(default_factory=dict)  # code: [quantity, average price]
    fill_delay_s: float = 0.05
    fill_parts: int = 1  # a fill comes in up to so many pieces
    fill_gap_s: float = 0.05
    notice_layout: str = "C"  # A | B | C
    notice_first: bool = False  # the notice overtakes the answer of the order call
    notice_delay_s: float = 0.02
    drop_notices: float = 0.0
    double_notices: float = 0.0
    delay_notices: float = 0.0  # seconds added
    reorder_notices: float = 0.0  # up to so many random seconds added to each
    executions_delay_s: float = 0.0  # daily-ccld shows a fill only after this
    fee_ppm: int = 150  # commission, millionths of the amount
    tax_ppm: int = 2_000  # sell tax
    # faults of the REST side
    spurious_rate: float = 0.0  # EGW00201 below the ceiling
    slow: float = 0.0
    slow_s: float = 1.0
    broken_json: float = 0.0
    http_500: float = 0.0  # reads answered by a bare 500
    lose_reply: float = 0.0  # order accepted, answer lost
    lose_reply_how: str = "close"  # close | hang | 500 | EGW00301

    def change(self, values: dict[str, Any]) -> None:
        """Set knobs by name.

        Raises ValueError naming the knob and the value when either is not one of ours; then
        nothing at all has been changed.
        """
        checked = {name: self._checked(name, value) for name, value in values.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def _checked(self, name: str, value: Any) -> Any:
        known = {one.name for one in dataclasses.fields(self)}
        if name not in known:
            raise ValueError(f"{name}: no such knob")
        now = getattr(self, name)
        if isinstance(now, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(now):
            raise ValueError(f"{name}={value!r}: wanted {type(now).__name__}")
        allowed = _CHOICES.get(name)
        if allowed and value not in allowed:
            raise ValueError(f"{name}={value!r}: one of {', '.join(map(str, allowed))}")
        if isinstance(value, (int, float)) and value < 0:
            raise ValueError(f"{name}={value!r}: not below 0")
        return value


_CHOICES: dict[str, tuple[Any, ...]] = {
    "environment": ("real", "paper"),
    "hours": ("always", "krx"),
    "width": (46, 47, 48),
    "notice_layout": ("A", "B", "C"),
    "lose_reply_how": ("close", "hang", "500", "EGW00301"),
    "records_max": tuple(range(1, 20)),
    "refusal_rt_cd": ("1", "7"),
}


def names() -> list[str]:
    """Scenarios that come with the simulator."""
    files = resources.files("simulator").joinpath("scenarios").iterdir()
    return sorted(one.name.removesuffix(".toml") for one in files if one.name.endswith(".toml"))


def values_of(name: str) -> dict[str, Any]:
    """The knobs a scenario sets, by its name or by the path of a TOML file."""
    if name.endswith(".toml"):
        text = Path(name).read_text("utf-8")
    elif name in names():
        file = resources.files("simulator").joinpath("scenarios", f"{name}.toml")
        text = file.read_text("utf-8")
    else:
        raise ValueError(f"scenario={name!r}: one of {', '.join(names())}, or a .toml file")
    return tomllib.loads(text)


def load(name: str) -> Scenario:
    """The scenario of that name. ValueError names what is wrong with it."""
    scenario = Scenario()
    scenario.change({"name": name} | values_of(name))
    return scenario
