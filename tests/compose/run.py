"""The compose file, really run: `python tests/compose/run.py [--json] [--keep] [--quick]`.

By hand, as root (it kills processes of containers), where a Docker engine is; about a quarter of an
hour. A clean clone comes up with the simulator; conditions are armed and fired; each container is
killed once while an order is on its way; each is stopped once and its alarm waited for; Prometheus
is asked what it sees. Exit code 0 only if every promise held. docs/running.md shows a run. Nothing
is left behind but the image.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from checks import Story, knows_only_its_own, locked_in, secrets_written
from engine import Machine, has_engine
from figures import Prometheus, bring_up, judge, wait_for
from stops import STOPS, quiet, said_since, stop_and_listen

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
    ("watchdog", "006400"),
    ("redis", "035420"),
    ("mariadb", "051910"),
)
SERVERS = ("redis", "mariadb")
# the order worker has nothing to do while nothing fires: its own kill is asked of it alone
EVERYBODY = ("market", "trader", "worker-confirm", "worker-assets", "beat", "watchdog")
QUICK = ("trader",)
WHOLE_WITHIN_S = 30.0
SETTLED_WITHIN_S = 90.0


class Run:
    """One run; ``faults`` are the promises that did not hold."""

    def __init__(self, machine: Machine, say: Any, stops: Iterable[str] = STOPS) -> None:
        self.machine, self.say, self.stops = machine, say, tuple(stops)
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
        self.check("alarms of the kills are over", self.alarms_of_the_kills())
        self.check("doctor finds nothing", self.doctor())
        self.check("halt holds an order back", self.halted())
        self.docker_kill("beat")
        prometheus = self.monitoring()
        self.figures["alarm_after_s"] = {}
        for service in self.stops:
            self.stop(service, prometheus if service == "trader" else None)
        self.check("no secret written", secrets_written(self.machine))
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

    def alarms_of_the_kills(self) -> list[str]:
        """Whoever was away longer than the silence was told of, and all of it is over."""
        open_ = quiet(self.machine)
        raised = Counter(o.fault for o in said_since(self.machine, 0) if o.what == "RAISED")
        self.figures["raised_by_the_kills"] = dict(raised)
        self.say(f"told of during the kills: {dict(raised)}")
        return [f"still open: {open_}"] if open_ else []

    def monitoring(self) -> Prometheus | None:
        """Profile `monitoring`, as far as there are images; None without Prometheus' own."""
        there, missing = bring_up(self.machine)
        self.figures["monitoring"] = {"ran": there, "no_image": missing}
        self.say(f"profile monitoring: {there}, no image to be had: {missing}")
        if not {"prometheus", "mariadb-exporter", "redis-exporter"} <= set(there):
            return None
        prometheus = Prometheus(self.machine.ports["PROMETHEUS"])
        self.check("Prometheus scrapes, knows every rule and every name", judge(prometheus))
        self.check("monitoring locked in", locked_in(self.machine))
        firing = prometheus.firing()
        self.check(f"alerts firing: {sorted(firing)}", [f"alert {one}" for one in firing])
        return prometheus

    def stop(self, service: str, prometheus: Prometheus | None) -> None:
        """A person stops a container: its alarm within 30 s, and only that one (P12)."""
        heard: list[float | None] = []
        watch = threading.Thread(
            target=lambda: heard.append(
                wait_for(prometheus, f"StockdFault:{STOPS[service]}", firing=True)
                if prometheus
                else None
            )
        )
        watch.start()
        took, faults = stop_and_listen(self.machine, service, self.say)
        watch.join()
        self.figures["alarm_after_s"][service] = took
        self.check(f"{service} stopped, alarm {STOPS[service]} after {took} s", faults)
        if prometheus is not None:
            over = wait_for(prometheus, f"StockdFault:{STOPS[service]}", firing=False)
            self.figures["prometheus_alert_after_s"] = heard[0]
            self.check(
                f"Prometheus fires after {heard[0]} s, over {over} s after the recovery",
                [] if heard[0] and over is not None else ["Prometheus did not fire and forget"],
            )

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
    parser.add_argument("--quick", action="store_true", help="stop the trader alone, not each part")
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
        result = Run(machine, say, QUICK if options.quick else STOPS).all()
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
