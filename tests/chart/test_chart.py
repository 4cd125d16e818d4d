"""A person looks at a stock: candles in red and blue, own fills, armed prices, and the holes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from db.bars import repair_bars
from db.engines import make_engine
from db.grants import ROLES
from db.migrate import migrate
from db.tables import condition_tables, fill, listing
from runtime.chart.data import ChartData, read_chart
from runtime.chart.extra import drawing
from runtime.chart.picture import korean_font, save
from runtime.chart.terminal import draw
from trading.bars import Bar
from trading.clock import KST
from trading.errors import BadInput, StockdError

ROOT = Path(__file__).parents[2]
OPEN = datetime(2026, 3, 20, 9, 0, tzinfo=KST)
PNG = b"\x89PNG\r\n\x1a\n"
RED, BLUE = "\x1b[38;5;1m", "\x1b[38;5;4m"


def minute_bars() -> list[Bar]:
    """An hour: half of it up, half of it down, a hole at 09:20."""
    bars = []
    for number in range(60):
        at = OPEN + timedelta(minutes=number)
        step = 100 if number < 30 else -100
        first = 70_000 + 100 * (number if number < 30 else 60 - number)
        last = first + step
        high, low = max(first, last) + 100, min(first, last) - 100
        bars.append(
            Bar("005930", 1, at, first, high, low, last, 50, 50 * last, 5, gap=number == 20)
        )
    return bars


@pytest.fixture(scope="module")
def database(servers: Any) -> Any:
    """The hour of bars, two fills, one armed condition, one that is not."""
    name = f"chart_{os.getpid()}"
    url = sa.make_url(servers.admin_url("stockd"))
    server = make_engine(url.set(database=None))
    passwords = {role: f"pw-{role}" for role in ROLES}
    migrate(server, database=name, passwords=passwords, user_prefix=f"c{os.getpid()}_")
    engine = make_engine(url.set(database=name), autocommit=True)
    repair_bars(engine, minute_bars())
    tables = condition_tables()
    with engine.begin() as connection:
        for side, minute, price in (("BUY", 7, 70_700), ("SELL", 41, 71_900)):
            values = {
                "account": "main", "order_day": OPEN.date(), "order_no": f"{minute:010d}",
                "symbol": "005930", "side": side, "quantity": 10, "price": price,
                "at": OPEN + timedelta(minutes=minute, seconds=30), "source": "NOTICE",
                "recorded_at": OPEN,
            }  # fmt: skip
            connection.execute(fill.insert().values(values))
        connection.execute(
            listing.insert().values(
                symbol="005930", isin="", name="삼성전자", market="KOSPI", last_day=OPEN.date()
            )
        )
        for price, enabled in ((69_500, 1), (75_000, 0)):
            connection.execute(
                tables.condition.insert().values(
                    owner="me", symbol="005930", side="BUY", trigger_op="LE", strike_price=price,
                    order_kind="LIMIT", venue="KRX", enabled=enabled, arm_no=1, max_age_ms=3000,
                    memo="", rev=1, created_by="me", updated_by="me", created_at=OPEN,
                    updated_at=OPEN, quantity=10,
                )
            )  # fmt: skip
    yield engine
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE `{name}`"))
        users = connection.execute(
            sa.text("SELECT user, host FROM mysql.user WHERE user LIKE :p"),
            {"p": f"c{os.getpid()}\\_%"},
        ).all()
        for user, host in users:
            connection.execute(sa.text(f"DROP USER '{user}'@'{host}'"))
    engine.dispose()
    server.dispose()


def chart_of(engine: Any, minutes: int = 1, count: int = 60) -> ChartData:
    return read_chart(engine, condition_tables(), "005930", minutes, count)


def test_what_is_read_is_the_tables_own(database: Any) -> None:
    data = chart_of(database)
    assert data.bars == minute_bars()
    assert data.name == "삼성전자"
    assert data.gaps == [20]
    assert [(data.number_of(one), one.side.value, one.price) for one in data.fills] == [
        (7, "BUY", 70_700),
        (41, "SELL", 71_900),
    ]
    assert [line.price for line in data.strikes] == [69_500]
    five = chart_of(database, 5, 3)
    assert [one.at.minute for one in five.bars] == [45, 50, 55]
    assert five.fills == []


def test_the_terminal_shows_up_in_red_and_down_in_blue(database: Any) -> None:
    text = draw(chart_of(database), 100, 30)
    head, *canvas = text.splitlines()
    assert head.startswith("005930 삼성전자  1분봉  70,000원")
    assert "69,500" in head
    assert "끊긴 봉 1" in head
    body = "\n".join(canvas)
    assert f"{RED}█" in body
    assert f"{BLUE}█" in body
    assert body.index(f"{RED}") < body.rindex(f"{BLUE}")
    assert "▲" in body
    assert "▼" in body
    assert "x" in body
    assert "─" in body
    assert "03/20 09:00" in body
    assert len(canvas) <= 30


def test_a_narrow_terminal_and_a_single_bar_do(database: Any) -> None:
    lines = draw(chart_of(database, 1440, 5), 40, 12).splitlines()
    assert len(lines) <= 13
    assert any("│" in line for line in lines)
    assert "03/20" in lines[-1]


def test_the_picture_has_both_colours_and_the_marks(database: Any, tmp_path: Path) -> None:
    path = tmp_path / "chart.png"
    save(chart_of(database), path)
    assert path.read_bytes().startswith(PNG)
    pixels = drawing("matplotlib.image").imread(path)
    seen = {
        name: int((abs(pixels[:, :, :3] - [r / 255, g / 255, b / 255]).max(axis=2) < 0.02).sum())
        for name, (r, g, b) in {
            "up": (0xD6, 0, 0),
            "down": (0, 0x51, 0xC7),
            "strike": (0xE0, 0x7B, 0),
            "buy": (0xB0, 0, 0xB0),
            "sell": (0, 0x8B, 0x8B),
        }.items()
    }
    assert min(seen.values()) > 20, seen
    assert abs(seen["up"] - seen["down"]) < 0.3 * seen["up"]  # as many minutes each


def test_without_a_korean_font_the_words_are_english(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: Any
) -> None:
    monkeypatch.setattr("runtime.chart.picture.KOREAN_FONTS", ())
    assert korean_font() == ""
    save(chart_of(database), tmp_path / "chart.png")
    assert not [one for one in recwarn if "Glyph" in str(one.message)]


def test_what_cannot_be_drawn_is_said_in_one_line(database: Any, tmp_path: Path) -> None:
    with pytest.raises(StockdError, match="000660: no bars"):
        read_chart(database, condition_tables(), "000660", 1, 10)
    with pytest.raises(BadInput, match="--minutes"):
        read_chart(database, condition_tables(), "005930", 7, 10)
    with pytest.raises(StockdError, match="nowhere"):
        save(chart_of(database), tmp_path / "nowhere" / "chart.png")
    with pytest.raises(StockdError, match=r"pip install 'stockd\[chart\]'"):
        drawing("a_library_nobody_has")


def test_the_command_draws_and_refuses(servers: Any, tmp_path: Path) -> None:
    admin = make_engine(servers.admin_url("stockd"), autocommit=True)
    symbol = "T0CHRT"
    repair_bars(
        admin,
        [Bar(symbol, 1, OPEN, 100, 110, 90, 105, 5, 525, 2, gap=False)],
    )
    settings = {
        "mariadb": {"socket": servers.mariadb.socket, "passwords": servers.passwords},
        "local": {"directory": str(tmp_path)},
    }
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(settings), encoding="utf-8")

    def stockd(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"STOCKD_CONFIG": str(path), "MPLCONFIGDIR": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-m", "cli", "chart", *words],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    try:
        done = stockd(symbol)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{symbol}  5분봉  105원")
        picture = tmp_path / "one.png"
        assert stockd(symbol, "--minutes", "1", "--png", str(picture)).returncode == 0
        assert picture.read_bytes().startswith(PNG)
        missing = stockd("T0NONE")
        assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
        assert stockd(symbol, "--minutes", "7").returncode == 2
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text("DELETE FROM bar WHERE symbol = :s"), {"s": symbol})
        admin.dispose()
