"""The websocket server: one session an app key, registrations, notices, PINGPONG."""

import asyncio
import json
import time

from aiohttp import WSMsgType, web

from simulator import wire
from simulator.keys import HTS_ID
from simulator.registration import MOST, TRADES, Unwelcome, Wish, answer, notice_tr, read
from simulator.session import Session
from simulator.world import World

_LOWER = "abcdefghijklmnopqrstuvwxyz"


class Feed:
    """All connections of the websocket port."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sessions: list[Session] = []
        self.holders: dict[str, Session] = {}  # app key label → the session that has its slot
        self.ghosts: dict[str, float] = {}  # app key label → monotonic time the slot is held until
        self.handshakes = 0
        self.registered_at = 0.0  # monotonic time of the last registration
        world.notices.deliver = self.deliver_notice

    def routes(self) -> list[web.RouteDef]:
        """/, /tryitout and /tryitout/<anything> are all the same door."""
        return [web.get(path, self.serve) for path in ("/", "/tryitout", "/tryitout/{any:.*}")]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from handshake to end."""
        socket = web.WebSocketResponse(autoping=False, compress=False)
        await socket.prepare(request)
        self.handshakes += 1
        session = Session(request, socket, self.handshakes)
        self.sessions.append(session)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(session, message.data)
                elif message.type is WSMsgType.PONG:
                    session.unanswered = None
                elif message.type is WSMsgType.PING and self.world.scenario.answer_pings:
                    session.pong(message.data)
        finally:
            said_goodbye = socket.close_code not in (None, 1006)
            tidy = session.closed_by_us or (said_goodbye and not session.dropped_by_us)
            self._leave(session, tidy=tidy)
        return socket

    def _leave(self, session: Session, *, tidy: bool) -> None:
        self.sessions.remove(session)
        for tr_id, tr_key in list(session.registered):
            self._unregister(session, tr_id, tr_key)
        if self.holders.get(session.label) is session:
            del self.holders[session.label]
            if not tidy:
                self.ghosts[session.label] = time.monotonic() + self.world.scenario.ghost_s

    def _hear(self, session: Session, text: str) -> None:
        if '"PINGPONG"' in text:
            session.unanswered = None
            return
        try:
            wish = read(text, self.world.scenario.environment)
            self._grant(session, wish)
        except Unwelcome as no:
            self.world.counters.refuse(no.msg_cd)
            message = answer(no.msg_cd, no.tr_id, no.tr_key)
            self._say(session, message)
            if no.msg_cd == "OPSP8996":
                session.hang_up()

    def _grant(self, session: Session, wish: Wish) -> None:
        if not self._identify(session, wish):
            return
        names = (wish.tr_id, wish.tr_key)
        if not wish.subscribe:
            if names not in session.registered:
                raise Unwelcome("OPSP0003", *names)
            key, iv = session.registered[names]
            self._unregister(session, *names)
            self._say(session, answer("OPSP0001", *names, output={"iv": iv, "key": key}))
            return
        if names in session.registered:
            raise Unwelcome("OPSP0002", *names)
        if len(session.registered) >= MOST:
            raise Unwelcome("OPSP0008", *names)
        self._register(session, *names)

    def _identify(self, session: Session, wish: Wish) -> bool:
        customer = self.world.desk.approved(wish.approval_key)
        if customer is None:
            message = answer("OPSP0011", wish.tr_id, wish.tr_key)
            self.world.counters.refuse("OPSP0011")
            self.world.journal.control_frame(session.label, message)
            message["body"]["msg1"] = f"invalid approval : {wish.approval_key}"
            session.queue(wire.frame(json.dumps(message).encode()))
            session.flush()
            return False
        if session.customer is customer:
            return True
        self.world.counters.connects[customer.label].add(time.monotonic())
        if (
            self.holders.get(customer.label)
            or self.ghosts.get(customer.label, 0) > time.monotonic()
        ):
            self.world.counters.in_use += 1
            raise Unwelcome("OPSP8996")
        session.customer = customer
        self.holders[customer.label] = session
        return True

    def _register(self, session: Session, tr_id: str, tr_key: str) -> None:
        stock = self.world.market.stocks.get(tr_key)
        if tr_id.startswith("H0STCNI"):
            if tr_key != HTS_ID:
                session.hang_up()  # the server says nothing to a wrong HTS id
                return
        elif stock is None:
            raise Unwelcome("OPSP8992", tr_id, tr_key)
        random = self.world.dice
        iv, key = random.randbytes(8).hex(), "".join(random.choices(_LOWER, k=32))
        session.registered[(tr_id, tr_key)] = (key, iv)
        self.registered_at = time.monotonic()
        encrypt = "Y" if tr_id.startswith("H0STCNI") else "N"
        output = {"iv": iv, "key": key}
        self._say(session, answer("OPSP0000", tr_id, tr_key, encrypt=encrypt, output=output))
        if tr_id == TRADES and stock:
            stock.watchers.append(session)
            self.world.market.review(stock)

    def _unregister(self, session: Session, tr_id: str, tr_key: str) -> None:
        del session.registered[(tr_id, tr_key)]
        stock = self.world.market.stocks.get(tr_key)
        if tr_id == TRADES and stock:
            stock.watchers.remove(session)
            self.world.market.review(stock)

    def _say(self, session: Session, message: dict[str, object]) -> None:
        session.say(message, json.dumps(message), self.world.journal)

    def deliver_notice(self, record: str) -> None:
        """A fill notice to every session registered for it, sealed with that session's own key."""
        tr_id = notice_tr(self.world.scenario.environment)
        for session in self.sessions:
            seal = session.registered.get((tr_id, HTS_ID))
            if seal:
                text = wire.sealed(tr_id, record, *seal)
                if self.world.journal.frames:
                    self.world.journal.data_frame(time.monotonic(), session.label, text)
                session.queue(wire.frame(text.encode()))
                session.flush()

    def close(self, who: str, *, tidy: bool) -> int:
        """Close the connections of an app key label, or "all"; how many there were."""
        chosen = [one for one in self.sessions if who in ("all", one.label)]
        for session in chosen:
            if tidy:
                session.close()
            else:
                session.drop()
        return len(chosen)

    async def keep_alive(self) -> None:
        """Send PINGPONG and cut off who does not answer; runs until cancelled."""
        while True:
            knobs = self.world.scenario
            await asyncio.sleep(min(1.0, max(0.02, knobs.pingpong_s / 4)))
            now = time.monotonic()
            for session in list(self.sessions):
                if session.unanswered and now - session.unanswered > knobs.pingpong_cut_s:
                    session.hang_up()
                elif now - session.pinged >= knobs.pingpong_s:
                    session.pinged = now
                    session.unanswered = session.unanswered or now
                    stamp = self.world.clock.now().strftime("%Y%m%d%H%M%S")
                    self._say(session, {"header": {"tr_id": "PINGPONG", "datetime": stamp}})
