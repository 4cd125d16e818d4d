"""The running simulator: two ports, the ticking, a clean end."""

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator import rest_balance, rest_order, rest_orders, rest_quote
from simulator.control import Control
from simulator.feed import Feed
from simulator.public_data import PublicData
from simulator.pump import Pump
from simulator.replay import Replay
from simulator.rest import Gateway
from simulator.rest_auth import AuthRoutes
from simulator.world import World

_MODULES = (rest_order, rest_orders, rest_balance, rest_quote)


class Server:
    """A simulator on two ports of the loopback interface (or of `host`)."""

    def __init__(self, world: World, host: str = "127.0.0.1") -> None:
        self.world = world
        self.host = host
        self.feed = Feed(world)
        self.pump = Pump(world)
        self.replay = Replay(world, self.feed, self.pump)
        self._runners: list[web.AppRunner] = []
        self._tasks: list[asyncio.Task[Any]] = []

    async def start(self, rest_port: int, ws_port: int) -> dict[str, str]:
        """Open both ports (0 = a free one) and begin to tick; returns rest_url and ws_url."""
        public = PublicData(self.world)
        control = Control(self.world, self.feed, self.pump, self.replay, public)
        gateway = Gateway(self.world)
        rest = web.Application(client_max_size=1 << 20)
        rest.add_routes(AuthRoutes(self.world).routes() + public.routes() + control.routes())
        rest.add_routes(
            [gateway.route(endpoint) for module in _MODULES for endpoint in module.ENDPOINTS]
        )
        feed = web.Application()
        feed.add_routes(self.feed.routes())
        rest_at = await self._open(rest, rest_port)
        ws_at = await self._open(feed, ws_port)
        self._spawn(self.pump.run(), self.feed.keep_alive(), self._flush_logs())
        return {"rest_url": f"http://{self.host}:{rest_at}", "ws_url": f"ws://{self.host}:{ws_at}"}

    def play(self, paths: Sequence[Path], speed: float) -> None:
        """Play recorded frames once the first clients have registered."""
        self._spawn(self.replay.run(paths, speed))

    def _spawn(self, *coroutines: Any) -> None:
        self._tasks += [asyncio.create_task(one) for one in coroutines]

    async def _open(self, application: web.Application, port: int) -> int:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, port))
        except OSError:
            listener.close()
            await runner.cleanup()
            raise
        await web.SockSite(runner, listener).start()
        self._runners.append(runner)
        return int(listener.getsockname()[1])

    async def _flush_logs(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            self.world.journal.flush()

    async def stop(self) -> None:
        """Stop ticking, say goodbye to every session, close the ports, put the logs on disk."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.feed.close("all", tidy=True)
        for runner in self._runners:
            await runner.cleanup()
        self.world.journal.close()
