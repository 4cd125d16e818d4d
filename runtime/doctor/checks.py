"""Everything needed before the market opens, in the order in which causes come before effects."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from runtime.doctor import broker_checks, desk_checks, own_checks, server_checks
from runtime.doctor.findings import Check, Fault, Faults, Finding
from trading.errors import StockdError

CHECKS: tuple[Check, ...] = (
    Check("settings", own_checks.settings),
    Check("keys", own_checks.keys, ("settings",)),
    Check("money", own_checks.money, ("settings",)),
    Check("lanes", own_checks.lanes, ("settings",)),
    Check("files", own_checks.files),
    Check("versions", own_checks.versions),
    Check("disk", own_checks.disk),
    Check("calendar", own_checks.calendar),
    Check("alarm", own_checks.alarm),
    Check("mariadb", server_checks.mariadb),
    Check("schema", server_checks.schema, ("mariadb",)),
    Check("users", server_checks.users, ("mariadb", "schema")),
    Check("grants", server_checks.grants, ("users",)),
    Check("events", server_checks.events, ("users",)),
    Check("redis", server_checks.redis),
    Check("clock", server_checks.clock, ("mariadb", "redis")),
    Check("broker", broker_checks.broker, ("settings",)),
    Check("token", broker_checks.token, ("keys", "broker", "redis")),
    Check("slots", broker_checks.slots, ("keys", "redis", "users")),
    Check("watch", desk_checks.watch, ("settings", "users")),
    Check("conditions", desk_checks.conditions, ("settings", "users")),
    Check("ledger", desk_checks.ledger, ("users",)),
    Check("halt", desk_checks.halt, ("users",)),
)


def examine(checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Run every check; one that fails keeps only those from being made that stand on it."""
    findings: list[Finding] = []
    bad: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in bad]
        if missing:
            bad.add(check.name)  # what stands on it is not known either
            findings.append(Finding(check.name, True, f"{missing[0]} 문제로 건너뜀"))
            continue
        said, faults = _made(check)
        if faults:
            bad.add(check.name)
            findings.extend(Finding(check.name, False, fault) for fault in faults)
        else:
            findings.append(Finding(check.name, True, said))
    return findings


def _made(check: Check) -> tuple[str, list[str]]:
    try:
        return check.run(), []
    except Faults as several:
        return "", [_line(one) for one in several.faults]
    except (Fault, StockdError, SQLAlchemyError, OSError) as error:
        return "", [_line(error)]
    except Exception as error:  # noqa: BLE001  a check that breaks is a finding too
        return "", [f"{type(error).__name__}: {_line(error)}"]


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
