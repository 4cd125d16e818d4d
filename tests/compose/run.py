"""The compose file, really run: `python tests/compose/run.py [--json] [--keep]`.

By hand, as root (it kills processes of containers), where a Docker engine is; about four minutes.
A clean clone comes up with the simulator; conditions are armed and fired; each container is killed
once while an order is on its way. Exit code 0 only if every promise held. docs/running.md shows a
run. Nothing is left behind but the image.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from checks import Story, knows_only_its_own, locked_in, secrets_written
from engine import Machine, has_engine

TOGETHER = ("005380", "000270", "035420", "051910", "006400", "012330")
# what is killed, and the stock that fires meanwhile
KILLS = (
    ("market", "005380"),
    ("trader", "000270"),
    ("worker-orders", "035420"),
    ("worker-confirm", "051910"),
    ("worker-assets", "006400"),
    ("worker-sweep", "012330"),
    ("beat", "005380"),
    ("flower", "000270"),
    ("redis", "035420"),
    ("mariadb", "051910"),
)
SERVERS = ("redis", "mariadb")
# the order worker has nothing to do while nothing fires: its own kill is asked of it alone
EVERYBODY = ("market", "trader", "worker-confirm", "worker-assets", "beat")
WHOLE_WITHIN_S = 30.0
SETTLED_WITHIN_S = 90.0


class Run:
    """One run; ``faults`` are the promises that did not hold."""

    def __init__(self, machine: Machine, say: Any) -> None:
        self.machine, self.say = machine, say
        self.story = Story(machine)
        self.faults: list[str] = []
        self.figures: dict[str, Any] = {}

    def all(self) -> dict[str, Any]:
        self.figures["up_s"] = round(self.machine.up(), 1)
        self.say(f"up and healthy after {self.figures['up_s']} s")
        self.check("locked in", locked_in(self.machine))
        self.check("secrets in the right hands", knows_only_its_own(self.machine))
        self.together()
        self.figures["whole_after_s"] = {}
        for service, symbol in KILLS:
            self.kill(service, symbol)
        # an arming whose moment passes while its part is dead may send nothing: never two
        self.figures["after_the_kills"] = self.settled("after the kills", due=len(KILLS))
        self.check("no secret written", secrets_written(self.machine))
        self.check("doctor finds nothing", self.doctor())
        self.check("halt holds an order back", self.halted())
        self.docker_kill("beat")
        self.once("simulator")  # last: it forgets its orders
        return {"ok": not self.faults, **self.figures, "faults": self.faults}

    def check(self, what: str, faults: list[str]) -> None:
        self.say(f"{what}: {'; '.join(faults) if faults else 'yes'}")
        self.faults += faults

    def together(self) -> None:
        """Six conditions become true in the same moment; the orders go out one second apart."""
        self.story.push(dict(self.story.arm(symbol) for symbol in TOGETHER), hold_s=20)
        self.say(f"{len(TOGETHER)} prices cross their conditions at once")
        self.figures["together"] = self.settled("together", due=len(TOGETHER))

    def settled(self, when: str, due: int) -> dict[str, Any]:
        """Wait until broker and ledger agree; judge."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while True:
            found = self.story.found()
            agree = found["shares_filled"] == found["shares_in_ledger"] > 0
            open_ = {"NEW", "CLAIMED", "SENDING", "UNKNOWN"} & set(found["strikes"])
            if (agree and not open_ and found["orders_at_broker"] >= due) or (
                time.monotonic() > deadline
            ):
                break
            time.sleep(1)
        gap = found["min_order_gap_s"]
        rules = {
            f"{found['duplicate_orders']} duplicate orders": not found["duplicate_orders"],
            f"orders {gap} s apart": gap is not None and gap >= 1.0,
            f"{found['shares_in_ledger']} of {found['shares_filled']} shares in the ledger": agree,
            f"{found['orders_at_broker']} orders": found["orders_at_broker"] >= due,
            f"still open: {sorted(open_)}": not open_,
            "refused by rate": not found["refused_by_rate"],
            "more connects than allowed": found["max_connects_in_10_min"] <= 4,
        }
        self.check(f"{when}: {found}", [f"{when}: {k}" for k, v in rules.items() if not v])
        return found

    def doctor(self) -> list[str]:
        told = self.machine.compose("run", "--rm", "-T", "doctor", "doctor", "--json", check=False)
        found = json.loads(told.splitlines()[-1]) if told else {"checks": [{"said": "no answer"}]}
        return [f"doctor: {one['said']}" for one in found["checks"] if not one.get("ok")]

    def halted(self) -> list[str]:
        """A person halts; a condition comes true; nothing goes out (P10)."""
        name, price = self.story.arm(TOGETHER[0])
        self.machine.desk("halt", "컨테이너 점검")
        before = self.story.found()["orders_at_broker"]
        self.story.push({name: price}, hold_s=8)
        time.sleep(8)
        sent = self.story.found()["orders_at_broker"] - before
        self.machine.desk("resume", "점검 끝")
        return [f"{sent} orders went out while halted"] if sent else []

    def kill(self, service: str, symbol: str) -> None:
        """Fire a condition and kill a container while the order is on its way."""
        name, price = self.story.arm(symbol)
        self.story.push({name: price}, hold_s=25)
        time.sleep(0.15)
        self.once(service)

    def once(self, service: str) -> None:
        """kill -9; the restart policy must bring it back to getting things done."""
        self.machine.kill_9(service)
        began, moment = time.monotonic(), time.time()
        while not self._is_back(service, moment) and time.monotonic() < began + 90:
            time.sleep(0.5)
        took = round(time.monotonic() - began, 1)
        self.figures["whole_after_s"][service] = took
        late = [] if took <= WHOLE_WITHIN_S else [f"{service} whole only after {took} s"]
        self.check(f"{service} killed, whole again after {took} s", late)

    def _is_back(self, service: str, moment: float) -> bool:
        """It gets things done again; after a server's death everybody who needs it does."""
        who = EVERYBODY if service in SERVERS else (service,)
        try:
            return all(self.machine.is_whole(one) for one in {service, *who}) and all(
                self.machine.has_moved_since(one, moment) for one in who
            )
        except (RuntimeError, ValueError, subprocess.TimeoutExpired):
            return False  # MariaDB is not there to be asked yet

    def docker_kill(self, service: str) -> None:
        """`docker kill` is a person's wish: it stays down until a person says up."""
        self.machine.compose("kill", service)
        time.sleep(5)
        state = self.machine.inspect(service)["State"]["Status"]
        self.machine.compose("up", "-d", "--wait", service)
        self.check(
            f"docker kill {service}: {state}; `up -d` brought it back",
            [] if self.machine.is_whole(service) else [f"{service} not back after up -d"],
        )


def main() -> int:
    """0 all held, 1 something did not, 2 no engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    options = parser.parse_args()
    if not has_engine():
        sys.stderr.write("no Docker engine with Compose answers here\n")
        return 2
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {line}\n")

    machine = Machine()
    try:
        machine.make()
        result = Run(machine, say).all()
    finally:
        if options.keep:
            say(f"left running: project {machine.project} in {machine.clone}")
        else:
            machine.down()
    result["seconds"] = round(time.monotonic() - began, 1)
    if options.json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
