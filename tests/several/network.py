"""Hosts that are network namespaces of this machine: each with two links that can be cut.

The namespaces have no name: each is held by one process that ends with ours, and the kernel takes
them back with it, whatever happens to the test. Nothing is added to the machine's own network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from runtime.processes import bound_to_parent, end

INSIDE, OUTSIDE = "10.77.0", "10.78.0"  # MariaDB and Redis; the broker
TOOLS = ("unshare", "nsenter", "setpriv", "ip", "mount", "hostname")


def why_not() -> str:
    """Why this machine cannot do it; "" when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [one for one in TOOLS if not shutil.which(one)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--uts", "ip", "link", "add", "br0", "type", "bridge"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if tried.returncode == 0 else f"namespaces refused: {tried.stderr.strip()[:100]}"


class Namespace:
    """A host: network, mounts (an /etc/hosts of its own) and name apart from the machine's."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory / name
        self.directory.mkdir(mode=0o700)
        hosts = self.directory / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {name}\n{OUTSIDE}.1 simulator\n", "ascii")
        ready = self.directory / "ready"
        script = (
            f"mount --bind {hosts} /etc/hosts && hostname {name} && ip link set lo up"
            f" && touch {ready} && exec sleep infinity"
        )
        argv = ["unshare", "--net", "--mount", "--uts", "sh", "-c", script]
        self._holder = subprocess.Popen(bound_to_parent(argv), stderr=subprocess.PIPE)
        ends = time.monotonic() + 20
        while not ready.exists():
            assert self._holder.poll() is None, self._holder.stderr
            assert time.monotonic() < ends, f"namespace {name} is not there"
            time.sleep(0.01)

    @property
    def pid(self) -> int:
        return self._holder.pid

    def within(self, *argv: str) -> list[str]:
        """``argv`` as run on this host."""
        return ["nsenter", "-t", str(self.pid), "--net", "--mount", "--uts", *argv]

    def run(self, *argv: str) -> str:
        done = subprocess.run(
            self.within(*argv), capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, f"{argv}: {done.stderr}"
        return done.stdout

    def end(self) -> None:
        end(self._holder, 0.5)


class Network:
    """``base`` has two bridges, .1 on both; each further host a link to either."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.base = Namespace("base", directory)
        self.hosts: list[Namespace] = [self.base]
        for bridge, subnet in (("inside", INSIDE), ("outside", OUTSIDE)):
            self.base.run("ip", "link", "add", bridge, "type", "bridge")
            self.base.run("ip", "addr", "add", f"{subnet}.1/24", "dev", bridge)
            self.base.run("ip", "link", "set", bridge, "up")

    def host(self, name: str) -> Namespace:
        """A host more; its address ends with its number, from 2."""
        made = Namespace(name, self.directory)
        self.hosts.append(made)
        number = len(self.hosts)
        for bridge, subnet in (("inside", INSIDE), ("outside", OUTSIDE)):
            ours = f"{bridge}-{number}"
            self.base.run(
                "ip", "link", "add", ours, "type", "veth",
                "peer", "name", bridge, "netns", str(made.pid),
            )  # fmt: skip
            self.base.run("ip", "link", "set", ours, "master", bridge, "up")
            made.run("ip", "addr", "add", f"{subnet}.{number}/24", "dev", bridge)
            made.run("ip", "link", "set", bridge, "up")
        return made

    def link(self, host: Namespace, *bridges: str, up: bool) -> None:
        """Plug a host's links in or pull them out."""
        number = self.hosts.index(host) + 1
        for bridge in bridges:
            state = "up" if up else "down"
            self.base.run("ip", "link", "set", f"{bridge}-{number}", state)

    def end(self) -> None:
        for one in reversed(self.hosts):
            one.end()
