"""The listed stocks: well-known ones from symbols.csv, as many more as asked for made up."""

import csv
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path
from random import Random

from simulator.price_steps import floor_to_step

_FIRST = "한빛 대성 동우 세진 미래 태양 신흥 우성 가온 다온 누리 새한 정우 삼정 광명 청솔 나라 유진"
_MIDDLE = "에코 바이오 테크 디지털 정밀 글로벌 퓨처 메디 로보 그린"
_LAST = (
    "전자 소재 제약 화학 산업 시스템 건설 푸드 물산 케미칼 에너지 반도체 로직스 홀딩스 솔루션 기계"
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A listed stock: code, Korean name, KOSPI or KOSDAQ, last close in won, shares listed."""

    code: str
    name: str
    market: str
    close: int
    shares: int


def listings(wanted: int | Path, seed: int = 1) -> list[Listing]:
    """`wanted` stocks, or those of a CSV file (code,name,market,close). The same for each seed."""
    rng = Random(seed)
    if isinstance(wanted, Path):
        return [_listing(row, rng) for row in _rows(wanted.read_text("utf-8"))]
    text = resources.files("simulator").joinpath("symbols.csv").read_text("utf-8")
    known = [_listing(row, rng) for row in _rows(text)]
    return (known + _made_up(wanted - len(known), {one.code for one in known}, rng))[:wanted]


def _rows(text: str) -> list[list[str]]:
    return [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]


def _listing(row: list[str], rng: Random) -> Listing:
    code, name, market, close = row[:4]
    return Listing(code, name, market, floor_to_step(int(close)), _shares(rng))


def _shares(rng: Random) -> int:
    return rng.randrange(10_000_000, 900_000_000, 1000)


def _made_up(count: int, taken: set[str], rng: Random) -> list[Listing]:
    names = [a + b + c for a, b, c in product(_FIRST.split(), _MIDDLE.split(), _LAST.split())]
    rng.shuffle(names)
    made: list[Listing] = []
    number = 10
    while len(made) < count:
        # every fiftieth carries a letter, as codes handed out since 2024 may
        letter = "A" if len(made) % 50 == 49 else str(number // 10 % 10)
        code = f"{number // 100 % 10000:04d}{letter}0"
        number += 30
        if code in taken:
            continue
        taken.add(code)
        close = floor_to_step(int(10 ** rng.uniform(3.05, 5.6)))
        market = "KOSPI" if rng.random() < 0.3 else "KOSDAQ"
        made.append(Listing(code, names[len(made)], market, close, _shares(rng)))
    return made
