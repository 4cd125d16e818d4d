"""What is wrong on our side alone: settings, keys, money, lanes, files, versions, disk, days."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from budget.plan import plan
from budget.profiles import PROFILES
from runtime import wiring
from runtime.calendar import Calendar, horizon
from runtime.doctor.findings import Fault, raise_any
from runtime.loop import kst_now
from runtime.settings import PAPER_DOORS, load_settings
from runtime.settings_source import CONFIG, DEFAULT_FILE
from trading.watch_plan import STOCKS_A_SECTION

DISK_FREE_GB = 2.0
PINS = {"celery": "5.7.", "kombu": "5.7."}  # what the order path was measured with
KEY_LENGTH, SECRET_LENGTH = 36, 180  # fact sheet §1
CALENDAR_AHEAD = timedelta(days=30)


def settings() -> str:
    """Sections, notice and watch list fit together."""
    known = load_settings()
    sections, stocks = len(known.kis.sections), len(known.watch.symbols)
    if not sections:
        raise Fault(
            "kis.sections 가 비었음", "앱키를 stockd.toml 의 [[kis.sections]] 에 적으십시오"
        )
    faults = []
    if not known.kis.hts_id:
        faults.append(
            Fault("kis.hts_id 가 비었음", "HTS 아이디를 적으십시오 (없으면 체결통보 없음)")
        )
    room = STOCKS_A_SECTION * sections
    if stocks > room:
        faults.append(
            Fault(f"watch.symbols 가 {stocks}종목", f"섹션 {sections}개는 {room}종목까지입니다")
        )
    raise_any(faults)
    return f"섹션 {sections}개, 관심 {stocks}종목, 초당 {known.kis.calls_per_second}콜"


def keys() -> str:
    """Each key has the shape KIS gives out; nothing of it is shown."""
    faults = []
    for one in load_settings().kis.sections:
        for name, secret, length in (
            ("app_key", one.app_key, KEY_LENGTH),
            ("app_secret", one.app_secret, SECRET_LENGTH),
        ):
            found = len(secret.get_secret_value().strip())
            if found != length:
                faults.append(
                    Fault(
                        f"{one.label} {name} 길이 {found} (KIS 는 {length})",
                        "포털에서 다시 복사하십시오",
                    )
                )
    raise_any(faults)
    return f"앱키 {len(load_settings().kis.sections)}개 모양 맞음"


def money() -> str:
    """One line: is real money at stake (P14). ConfigError when only one switch is set."""
    from runtime.orders import check_two_switches  # noqa: PLC0415

    if check_two_switches(load_settings()):
        return "실전: 실제 돈으로 주문합니다"
    return "모의투자 또는 시뮬레이터: 실제 돈이 나가지 않습니다"


def lanes() -> str:
    """The ceiling is one the broker knows, for this door."""
    kis = load_settings().kis
    split = plan(kis.calls_per_second, kis.margin, kis.sweep_share)  # ConfigError
    most = max(one.ceiling for one in PROFILES.values())
    if kis.calls_per_second > most:
        raise Fault(
            f"kis.ceiling {kis.calls_per_second}", f"증권사 한도는 많아야 {most}: 낮추십시오"
        )
    door = urlsplit(kis.rest_url)
    if (door.hostname, door.port) in PAPER_DOORS and kis.calls_per_second > PROFILES[
        "kis-paper"
    ].ceiling:
        raise Fault(
            f"모의투자에 초당 {kis.calls_per_second}콜", 'kis.profile = "kis-paper" 로 하십시오'
        )
    limits = " ".join(f"{lane} {n}" for lane, n in split.limits.items())
    return f"초당 {split.ceiling}: {limits}"


def files() -> str:
    """Files with secrets are for their owner alone."""
    faults = []
    path = Path(os.environ.get(CONFIG, DEFAULT_FILE))
    for one in (path, wiring.state_dir(), wiring.state_dir() / "tokens"):
        # mounted read-only (a container's settings): whoever mounted it decides who sees it
        if one.exists() and one.stat().st_mode & 0o077 and os.access(one, os.W_OK):
            faults.append(Fault(f"{one} 를 남이 읽을 수 있음", f"chmod go= {one}"))
    raise_any(faults)
    return "비밀이 든 파일은 주인만 읽음"


def versions() -> str:
    """What was measured is what runs."""
    faults = []
    for name, wanted in PINS.items():
        found = importlib.metadata.version(name)
        if not found.startswith(wanted):
            faults.append(
                Fault(f"{name} {found}", f"{wanted}x 를 설치하십시오 (다른 판은 다르게 돕니다)")
            )
    raise_any(faults)
    return f"Python {sys.version.split()[0]}, celery {importlib.metadata.version('celery')}"


def disk() -> str:
    """Room where the servers write."""
    free = shutil.disk_usage(Path(load_settings().local.directory).absolute().parent).free / 1e9
    if free < DISK_FREE_GB:
        raise Fault(f"디스크 여유 {free:.1f} GB", f"{DISK_FREE_GB:g} GB 이상 비우십시오")
    return f"디스크 여유 {free:.0f} GB"


def calendar() -> str:
    """Today is known, and the days ahead."""
    now = kst_now()
    end = horizon()
    if now.date() + CALENDAR_AHEAD > end:
        raise Fault(
            f"거래일 달력이 {end} 까지임", "stockd 를 새 판으로 올리십시오 (exchange-calendars)"
        )
    today = Calendar(wiring.state_dir()).day(now.date())
    if today is None:
        return f"{now:%m-%d} 휴장일"
    return f"{now:%m-%d} 거래일 {today.opens:%H:%M}–{today.closes:%H:%M}"


def alarm() -> str:
    """The addresses of alarms can be read; whether they arrive is `stockd watchdog --try`."""
    from runtime.alarms.send import Sender  # noqa: PLC0415

    known = load_settings().alarm
    Sender([one.get_secret_value() for one in known.urls])  # ConfigError
    if not known.urls:
        return "경보 받을 곳이 없음 (alarm.urls): 표 alarm 에만 남습니다"
    return f"경보 받을 곳 {len(known.urls)}군데"
