"""MariaDB and Redis: there, of the right kind, with exactly our users and rights, on our time."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from budget.connect import connect
from db.errors import mapped
from db.grants import RIGHTS, user_name
from db.history import EVENTS, read_event_runs, silent_events
from db.migrate import check as check_schema
from db.migrate import event_scheduler_is_on
from db.users import Place, rights_held, rights_wanted
from runtime import wiring
from runtime.doctor.findings import Fault, raise_any
from runtime.loop import kst_now
from runtime.settings import load_settings
from trading.errors import StockdError

OLDEST_MARIADB, OLDEST_REDIS = (10, 6), (6, 2)
CLOCK_OFF_S = 0.5
MEMORY_SHARE = 0.85  # noeviction: at 100 % every write is refused


def mariadb() -> str:
    """A version that fits, and a claim that survives a crash."""
    with mapped(), wiring.engine("reader").connect() as connection:
        server, flush = connection.execute(
            sa.text("SELECT VERSION(), @@innodb_flush_log_at_trx_commit")
        ).one()
    faults = []
    if tuple(int(part) for part in server.split("-")[0].split(".")[:2]) < OLDEST_MARIADB:
        faults.append(Fault(f"MariaDB {server}", "10.6 이상이 필요합니다"))
    if flush != 1:
        faults.append(
            Fault(
                f"innodb_flush_log_at_trx_commit={flush}",
                "my.cnf 에서 1 로 하십시오 (정전에 원장을 잃습니다)",
            )
        )
    raise_any(faults)
    return f"MariaDB {server}"


def schema() -> str:
    """The tables are this program's."""
    try:
        return f"스키마 {check_schema(wiring.engine('reader'))}"
    except StockdError as error:
        raise Fault(str(error), "stockd db migrate 를 실행하십시오") from None


def users() -> str:
    """Every process's user signs in with its password."""
    faults = []
    for role in RIGHTS:
        try:
            with mapped(), wiring.engine(role).connect() as connection:
                connection.execute(sa.text("SELECT 1"))
        except (StockdError, SQLAlchemyError) as error:
            words = str(error).splitlines()[0]
            faults.append(Fault(f"사용자 {role}: {words}", "stockd db migrate 가 다시 만듭니다"))
    raise_any(faults)
    return f"사용자 {len(RIGHTS)}명 로그인"


def grants() -> str:
    """Each user holds exactly the rights of db/grants.py, not one more or less (P2)."""
    known = load_settings()
    place = Place(
        known.mariadb.database, known.site.database or known.mariadb.database, known.site.prefix,
        known.mariadb.user_host, known.mariadb.user_prefix,
    )  # fmt: skip
    faults = []
    for role in RIGHTS:
        with mapped(), wiring.engine(role).connect() as connection:
            held, wide = rights_held(connection, place, role)
        wanted = rights_wanted(place, role)
        name = user_name(role, place.user_prefix)
        for word, rights in (("없음", wanted - held), ("남음", (held - wanted) | wide)):
            if rights:
                shown = ", ".join(sorted(f"{r.verb} {r.table}".strip() for r in rights)[:3])
                faults.append(
                    Fault(f"{name} 권한 {len(rights)}개 {word} ({shown})", "stockd db migrate")
                )
    raise_any(faults)
    return "권한이 db/grants.py 와 같음"


def events() -> str:
    """The scheduler is on and no EVENT is silent."""
    engine = wiring.engine("reader")
    if not event_scheduler_is_on(engine):
        raise Fault("event_scheduler 가 OFF", "my.cnf 의 [mariadbd] 에 event_scheduler=ON")
    runs = read_event_runs(engine)
    with mapped(), engine.connect() as connection:
        up_s = float(connection.execute(sa.text("SHOW GLOBAL STATUS LIKE 'Uptime'")).one()[1])
        made_s = connection.scalar(
            sa.text("SELECT TIMESTAMPDIFF(SECOND, MAX(applied_at), NOW(6)) FROM schema_version")
        )
        up_s = min(up_s, float(made_s or 0))
    raise_any(
        [
            Fault(
                f"EVENT {name} 이 {runs[name].ended_at or '한 번도'} 뒤로 끝난 적 없음",
                runs[name].error or f"ALTER EVENT {name} ENABLE, 또는 stockd db migrate",
            )
            for name in silent_events(engine, kst_now())
            if up_s > EVENTS[name]  # a server or a schema that is new has still to come to it
        ]
    )
    return f"EVENT {len(runs)}개 돌고 있음"


def redis() -> str:
    """It forgets nothing, keeps what it has over a restart, and has room."""
    client = connect(wiring.redis_url(load_settings().redis.state_db))
    policy = client.config_get("maxmemory-policy")["maxmemory-policy"]
    kept = client.config_get("appendonly")["appendonly"]
    version, memory = str(client.info("server")["redis_version"]), client.info("memory")
    used, most = int(memory["used_memory"]), int(memory["maxmemory"])
    faults = []
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        faults.append(Fault(f"Redis {version}", "6.2 이상이 필요합니다"))
    if policy != "noeviction":
        faults.append(Fault(f"Redis maxmemory-policy {policy}", "noeviction 으로 하십시오"))
    if kept != "yes":
        faults.append(Fault(f"Redis appendonly {kept}", "yes 로 하십시오 (다시 켜도 잊지 않게)"))
    if most and used > MEMORY_SHARE * most:
        faults.append(Fault(f"Redis 메모리 {used / most:.0%} 사용", "maxmemory 를 올리십시오"))
    if client.info("persistence").get("aof_last_write_status", "ok") != "ok":
        faults.append(Fault("Redis 가 AOF 를 쓰지 못함", "디스크를 보십시오"))
    raise_any(faults)
    return f"Redis {version}, {used / 1e6:.0f} MB"


def offset_s(there: Callable[[], float]) -> float:
    """How far another clock is ahead of ours, s; the asking's own time counts half."""
    before = time.time()
    answer = there()
    return answer - (before + time.time()) / 2


def clock() -> str:
    """Our clock, MariaDB's and Redis's agree: prices are judged by their age."""
    client = connect(wiring.redis_url(load_settings().redis.state_db))

    def redis_time() -> float:
        seconds, micros = client.time()  # type: ignore[misc]
        return float(seconds) + float(micros) / 1e6

    with mapped(), wiring.engine("reader").connect() as connection:
        mariadb_off = offset_s(
            lambda: float(connection.scalar(sa.text("SELECT UNIX_TIMESTAMP(NOW(6))")) or 0)
        )
    seen = {"MariaDB": mariadb_off, "Redis": offset_s(redis_time)}
    raise_any(
        [
            Fault(f"{name} 시계가 {off:+.3f} s 어긋남", "두 컴퓨터에 chrony 를 켜십시오")
            for name, off in seen.items()
            if abs(off) > CLOCK_OFF_S
        ]
    )
    return ", ".join(f"{name} {off * 1000:+.1f} ms" for name, off in seen.items())
