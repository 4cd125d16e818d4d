"""What is asked of the containers: how they are locked in, what they know, what they did."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any

from engine import ROOT, Machine

sys.path.insert(0, str(ROOT))
from db.grants import RIGHTS
from trading.price_step import price_step

OURS = (
    "market", "trader", "worker-orders", "worker-confirm", "worker-assets", "worker-sweep",
    "beat", "flower", "watchdog", "simulator",
)  # fmt: skip
ROLE_OF = {
    "market": ["market"], "trader": ["trader"], "worker-orders": ["orders"],
    "worker-confirm": ["orders"], "worker-assets": ["assets"], "worker-sweep": ["sweep"],
    "beat": [], "flower": [], "watchdog": sorted(RIGHTS),
}  # fmt: skip
NO_WAY_OUT = """
import socket
socket.create_connection(("simulator", 9443), 2)
"""


def locked_in(machine: Machine) -> list[str]:
    """Every running container against what docs/running.md says of all of them."""
    faults = []
    for service in machine.services():
        found = machine.inspect(service)
        host, user = found["HostConfig"], found["Config"]["User"]
        bindings = (found["NetworkSettings"]["Ports"] or {}).values()
        addresses = {one["HostIp"] for ports in bindings for one in ports or []}
        rules = {
            "root can be written": host["ReadonlyRootfs"],
            f"user {user!r}": user.split(":")[0] not in ("", "0", "root"),
            "capabilities": host["CapDrop"] == ["ALL"] and not host["CapAdd"],
            "no-new-privileges": "no-new-privileges:true" in host["SecurityOpt"],
            "no memory limit": host["Memory"] > 0,
            "logs are not rotated": host["LogConfig"]["Config"].get("max-size") == "10m",
            "restart policy": host["RestartPolicy"]["Name"] == "unless-stopped",
            f"published on {addresses}": addresses <= {"127.0.0.1"},
            "no health check": bool(found["Config"].get("Healthcheck")),
        }
        faults += [f"{service}: {rule}" for rule, kept in rules.items() if not kept]
    return faults


def knows_only_its_own(machine: Machine) -> list[str]:
    """Settings of each container: its own role's password; app keys only where the broker is."""
    faults = []
    for service, roles in ROLE_OF.items():
        code, said = machine.run_in(service, "cat", "/run/secrets/settings.json")
        known = json.loads(said) if code == 0 else {"mariadb": {"passwords": {}}}
        if sorted(known["mariadb"]["passwords"]) != roles or known["mariadb"]["admin_url"]:
            faults.append(f"{service} knows {sorted(known['mariadb']['passwords'])}")
        withheld = known["kis"]["sections"][0]["app_key"].startswith("withheld")
        if withheld != (service in ("trader", "beat", "flower")):
            faults.append(f"{service}: app key {'missing' if withheld else 'not withheld'}")
    for service in ("trader", "beat"):
        if machine.run_in(service, "python", "-c", NO_WAY_OUT)[0] == 0:
            faults.append(f"{service} reaches the broker")
    return faults


def secrets_written(machine: Machine) -> list[str]:
    """Every secret of this run searched for in all logs, and in what `docker inspect` shows."""
    cat = ("run", "--rm", "-T", "--no-deps", "--entrypoint", "cat", "handout")
    made = json.loads(machine.compose(*cat, "/handout/vault/passwords.json"))
    market = json.loads(machine.compose(*cat, "/handout/market/settings.json"))
    planted = {f"password of {name}": value for name, value in made.items()}
    for one in market["kis"]["sections"]:
        for name in ("app_key", "app_secret", "account"):
            planted[f"{name} of {one['label']}"] = one[name]
    places = {"logs": machine.compose("--profile", "*", "logs", "--no-color")}
    for service in machine.services():
        places[f"inspect {service}"] = json.dumps(machine.inspect(service))
    for table in ("strike", "order_event", "fill", "notice", "daemon", "alarm"):
        places[f"table {table}"] = str(machine.sql(f"SELECT * FROM {table}"))
    return [
        f"{what} stands in {where}"
        for what, value in planted.items()
        for where, text in places.items()
        if value in text
    ]


def away(price: int, steps: int) -> int:
    """``price`` so many price steps up (negative: down)."""
    for _ in range(abs(steps)):
        price += price_step(price) if steps > 0 else -price_step(price - 1)
    return price


class Story:
    """Conditions armed through the command line, prices pushed over them, orders counted.

    Each condition has a quantity of its own: an order then names the arming it came from.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.armed = 0

    def arm(self, symbol: str) -> tuple[str, int]:
        """A BUY six price steps below; the symbol and the price that fires it."""
        now = int(self.machine.ask("stocks")[symbol]["price"])
        target = away(now, -6)
        self.armed += 1
        self.machine.desk(
            "condition", "add", "--arm", "--symbol", symbol, "--side", "BUY",
            "--strike-price", str(target), "--quantity", str(self.armed), "--memo", "compose",
        )  # fmt: skip
        return symbol, away(target, -1)

    def push(self, prices: dict[str, int], hold_s: float = 60.0) -> None:
        self.machine.ask("price", {"prices": prices, "hold_s": hold_s})

    def found(self) -> dict[str, Any]:
        """What the broker has and what the ledger says."""
        orders = [one for one in self.machine.ask("book")["orders"] if not one["original"]]
        copies = Counter((one["symbol"], one["quantity"]) for one in orders)
        stats = self.machine.ask("stats")
        states = Counter(row[0] for row in self.machine.sql("SELECT state FROM strike"))
        shares = self.machine.sql("SELECT COALESCE(SUM(quantity), 0) FROM fill")
        gaps = [gap for gap in stats["min_order_gap_s"].values() if gap is not None]
        return {
            "armed": self.armed,
            "orders_at_broker": len(orders),
            "duplicate_orders": sum(count - 1 for count in copies.values()),
            "min_order_gap_s": round(min(gaps), 4) if gaps else None,
            "shares_filled": sum(one["filled"] for one in orders),
            "shares_in_ledger": int(shares[0][0]),
            "strikes": dict(states),
            "refused_by_rate": stats["refused_by_rate"],
            "max_connects_in_10_min": max(stats["max_connects_in_10_min"].values(), default=0),
        }
