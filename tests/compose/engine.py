"""The whole machine in containers, seen from outside: what run.py and its checks speak to."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# asks the simulator from its own container: its control channel hears nobody else
ASK = """
import sys, urllib.request as u
door, body = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
url = "http://127.0.0.1:9443/_sim/" + door
print(u.urlopen(u.Request(url, body and body.encode()), timeout=10).read().decode())
"""


def has_engine() -> bool:
    """Whether a Docker engine with Compose answers."""
    if shutil.which("docker") is None:
        return False
    told = subprocess.run(
        ["docker", "compose", "version"], capture_output=True, check=False, timeout=30
    )
    lives = subprocess.run(["docker", "version"], capture_output=True, check=False, timeout=30)
    return told.returncode == 0 and lives.returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machine:
    """A clean clone with `.env` filled in, as its own compose project; gone at the end."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="stockd-compose-"))
        self.clone = self.directory / "stockd"
        self.project = f"stockdtest{os.getpid()}"
        self.ports = {one: free_port() for one in ("FLOWER", "MARIADB", "PROMETHEUS", "GRAFANA")}

    def make(self, **more: str) -> None:
        """Clone, and fill in `.env`: the example, ports nobody uses, and ``more``."""
        subprocess.run(["git", "clone", "-q", str(ROOT), str(self.clone)], check=True)
        ports = {f"{name}_PORT": str(port) for name, port in self.ports.items()}
        own = "".join(f"{name}={value}\n" for name, value in (ports | more).items())
        text = (self.clone / ".env.example").read_text("utf-8")
        (self.clone / ".env").write_text(text + own, "utf-8")  # the last of a name counts

    def compose(self, *arguments: str, check: bool = True, timeout: float = 600) -> str:
        """`docker compose ARGUMENTS`; its standard output. RuntimeError tells what went wrong."""
        done = subprocess.run(
            ["docker", "compose", "-p", self.project, *arguments],
            cwd=self.clone,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"docker compose {' '.join(arguments)}:\n{done.stderr[-1500:]}")
        return done.stdout

    def up(self) -> float:
        """Seconds of `docker compose up -d --build --wait`, the image built before."""
        self.compose("build", "-q", timeout=1500)
        began = time.monotonic()
        self.compose("up", "-d", "--build", "--wait", timeout=600)
        return time.monotonic() - began

    def inspect(self, service: str) -> dict[str, Any]:
        name = f"{self.project}-{service}-1"
        done = subprocess.run(["docker", "inspect", name], capture_output=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)[0]
        return found

    def services(self) -> list[str]:
        """What runs."""
        return self.compose("--profile", "*", "ps", "--services", "--status", "running").split()

    def run_in(self, service: str, *argv: str) -> tuple[int, str]:
        """A command in a running container: exit code and output."""
        done = subprocess.run(
            ["docker", "exec", f"{self.project}-{service}-1", *argv],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def desk(self, *words: str) -> str:
        """`docker compose run --rm desk …`."""
        return self.compose("run", "--rm", "-T", "desk", *words)

    def ask(self, door: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The simulator's control channel."""
        argv = ["python", "-c", ASK, door, *([json.dumps(body)] if body else [])]
        code, said = self.run_in("simulator", *argv)
        if code != 0:
            raise RuntimeError(f"simulator, {door}: {said[-300:]}")
        found: dict[str, Any] = json.loads(said)
        return found

    def sql(self, query: str) -> list[list[str]]:
        """Rows of a query in database stockd, as text."""
        code, said = self.run_in(
            "mariadb", "sh", "-c",
            'exec mariadb -uroot -p"$(cat /run/secrets/root_password)" -N -B stockd -e "$0"', query,
        )  # fmt: skip
        if code != 0:
            raise RuntimeError(f"{query}: {said[-300:]}")
        return [line.split("\t") for line in said.splitlines()]

    def is_whole(self, service: str) -> bool:
        """Its health check, asked now."""
        test = self.inspect(service)["Config"]["Healthcheck"]["Test"]
        argv = ["sh", "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]
        try:
            return self.run_in(service, *argv)[0] == 0
        except subprocess.TimeoutExpired:
            return False

    def has_moved_since(self, service: str, moment: float) -> bool:
        """Whether it got something done after ``moment`` (s since the epoch): an old row or mark
        from before a kill must not count as being back."""
        if service in ("market", "trader", "watchdog"):
            back = (
                "SELECT state = 'RUNNING' AND progress_at > started_at"
                f" AND UNIX_TIMESTAMP(progress_at) > {moment} FROM daemon WHERE name = '{service}'"
            )
            return self.sql(back) == [["1"]]
        if service.startswith("worker-") or service == "beat":
            name = service.removeprefix("worker-")
            mark = f"/var/lib/stockd/state/progress/{name}@{service}"
            code, said = self.run_in(service, "stat", "-c", "%.Y", mark)
            return code == 0 and float(said) > moment
        return True  # servers, Flower and the simulator answer from memory they lost

    def kill_9(self, service: str) -> None:
        """SIGKILL to the main process from outside: what the kernel does when memory runs out.

        Not `docker kill`: that counts as a person's wish, and no policy starts it again.
        """
        os.kill(int(self.inspect(service)["State"]["Pid"]), signal.SIGKILL)

    def down(self) -> None:
        """Containers, volumes, networks and the clone. The image stays."""
        with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
            self.compose("--profile", "*", "down", "-v", "-t", "20", "--remove-orphans")
        shutil.rmtree(self.directory, ignore_errors=True)
