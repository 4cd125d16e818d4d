"""supervisord: its configuration written, its process started, its RPC asked."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from runtime.processes import ProcessMark, bound_to_parent, end_mark
from runtime.stack.place import CHECKOUT, Place, write_private
from runtime.stack.programs import Program
from trading.errors import Unavailable

HEAD = """\
[supervisord]
nodaemon = true
logfile = {run}/supervisor.log
logfile_maxbytes = 5MB
logfile_backups = 2
loglevel = info
pidfile = {run}/supervisor.pid
childlogdir = {logs}
directory = {checkout}
minfds = 1024
umask = 077
{user}
[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM = """
[program:{name}]
command = {command}
directory = {checkout}
priority = {rank}
autostart = {autostart}
autorestart = true
startsecs = 1
startretries = 1000000
stopsignal = TERM
stopwaitsecs = {grace}
killasgroup = {group}
stopasgroup = {term_group}
redirect_stderr = true
stdout_logfile = {logs}/{name}.log
stdout_logfile_maxbytes = 20MB
stdout_logfile_backups = 3
environment = {environment}
"""


def write_config(place: Place, programs: Iterable[Program]) -> Path:
    """The supervisor's configuration; a % is doubled, it is an interpolation there."""
    text = HEAD.format(
        run=_percent(str(place.run)),
        logs=_percent(str(place.logs)),
        checkout=_percent(str(CHECKOUT)),
        socket=_percent(str(place.supervisor_socket)),
        user="user = root\n" if os.getuid() == 0 else "",
    )
    for one in programs:
        text += PROGRAM.format(
            name=one.name,
            # a process whose supervisor was killed -9 must not stay behind alone
            command=_command(bound_to_parent(list(one.argv), "TERM")),
            checkout=_percent(str(CHECKOUT)),
            rank=one.rank,
            autostart=str(one.autostart).lower(),
            grace=one.grace,
            group=str(one.group).lower(),
            term_group=str(one.term_group).lower(),
            logs=_percent(str(place.logs)),
            environment=",".join(f'{k}="{_percent(v)}"' for k, v in one.environment.items()),
        )
    path = place.run / "supervisord.conf"
    write_private(path, text)
    return path


class Supervisor:
    """The supervisor of one place."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def launch(self, programs: list[Program], *, bound: bool) -> subprocess.Popen[bytes]:
        """Start it in the background; ``bound``: it ends when we do. Unavailable if it does not."""
        config = write_config(self.place, programs)
        self.place.supervisor_socket.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]
        with (self.place.run / "supervisord.out").open("wb") as out:
            process = subprocess.Popen(
                bound_to_parent(argv, "TERM") if bound else argv,
                cwd=CHECKOUT,
                env=self.place.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        ProcessMark.of(process.pid).write(self.place.run / "supervisor.mark")
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(Unavailable):
                self.ask("supervisor.getState")
                return process
            time.sleep(0.05)
        tail = (self.place.run / "supervisord.out").read_text("utf-8", "replace").strip()[-300:]
        raise Unavailable(f"supervisord does not come up: {tail}")

    def ask(self, method: str, *args: Any) -> Any:
        """One RPC call. Unavailable without a supervisor; xmlrpc.client.Fault as it answered."""
        from supervisor.xmlrpc import SupervisorTransport  # noqa: PLC0415  optional extra "local"

        door = f"unix://{self.place.supervisor_socket}"
        transport = SupervisorTransport(None, None, door)
        try:
            with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
                return getattr(proxy, method)(*args)
        except (OSError, xmlrpc.client.ProtocolError) as error:
            raise Unavailable(f"supervisor: {error}") from None

    def start(self, name: str) -> None:
        """Start a program without waiting for it; one that runs already is left alone."""
        try:
            self.ask("supervisor.startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise Unavailable(f"{name}: {fault.faultString}") from None

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end; it stays down until ``start``."""
        try:
            self.ask("supervisor.stopProcess", name, True)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise Unavailable(f"{name}: {fault.faultString}") from None

    def processes(self) -> list[dict[str, Any]]:
        """name, statename, pid, start (s since the epoch), … of each program."""
        found: list[dict[str, Any]] = self.ask("supervisor.getAllProcessInfo")
        return found

    def end(self, timeout: float = 60.0) -> None:
        """Stop everything in order and the supervisor itself; then by force."""
        mark = self.place.mark
        if mark is None or not mark.is_alive():
            return
        with suppress(Unavailable, xmlrpc.client.Fault):
            self.ask("supervisor.shutdown")
        deadline = time.monotonic() + timeout
        while mark.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        end_mark(mark, 10.0, children=True)


def _command(argv: list[str]) -> str:
    quoted = ['"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in argv]
    return _percent(" ".join(quoted))


def _percent(text: str) -> str:
    return text.replace("%", "%%")
