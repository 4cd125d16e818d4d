"""Which days KRX is open: weekdays less the holidays below."""

from datetime import date, timedelta

# weekdays on which KRX is closed, public holidays and the year's last day
_CLOSED_TEXT = """
20250101 20250127 20250128 20250129 20250130 20250303 20250501 20250505 20250506 20250603
20250606 20250815 20251003 20251006 20251007 20251008 20251009 20251225 20251231
20260101 20260216 20260217 20260218 20260302 20260501 20260505 20260525 20260603 20260817
20260924 20260925 20261005 20261009 20261225 20261231
20270101 20270208 20270209 20270301 20270505 20270513 20270816 20270914 20270915 20270916
20271004 20271011 20271231
"""
_CLOSED = frozenset(_CLOSED_TEXT.split())


def is_open(day: date) -> bool:
    """True when KRX trades on that day."""
    return day.weekday() < 5 and day.strftime("%Y%m%d") not in _CLOSED


def last_open_before(day: date) -> date:
    """The trading day before this one."""
    day -= timedelta(days=1)
    while not is_open(day):
        day -= timedelta(days=1)
    return day
