"""order-cash and order-rvsecncl (주식주문, 정정취소)."""

import asyncio
from typing import Any

from simulator.journal import stamp
from simulator.order import Order, Refused
from simulator.rest import Call, Endpoint, LostReply, Reply, done, gateway_error
from simulator.world import World

FORWARDING_ORG = "91252"
_NOTICE_LEAD_S = 0.1


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise Refused("field")
    return int(text)


async def order_cash(world: World, call: Call) -> Reply:
    """Place a new order."""
    asked = call.params

    def place() -> Order:
        quantity, price = _whole(asked.get("ORD_QTY", "")), _whole(asked.get("ORD_UNPR", ""))
        venue = asked.get("EXCG_ID_DVSN_CD") or "KRX"
        if world.scenario.environment == "paper" and venue != "KRX":
            raise Refused("field")
        return world.exchange.place(
            call.account,
            asked.get("PDNO", ""),
            side=call.variant,
            kind=asked.get("ORD_DVSN", ""),
            venue=venue,
            quantity=quantity,
            price=price,
        )

    return await _carry_out(world, call, call.variant, place)


async def order_rvsecncl(world: World, call: Call) -> Reply:
    """Modify (정정) or cancel (취소) an open order; each gets its own number."""
    asked = call.params

    def change() -> Order:
        if asked.get("KRX_FWDG_ORD_ORGNO", "") not in ("", FORWARDING_ORG):
            raise Refused("original")
        everything = asked.get("QTY_ALL_ORD_YN") == "Y"
        quantity = 0 if everything else _whole(asked.get("ORD_QTY", ""))
        if not everything and not quantity:
            raise Refused("field")
        odno = asked.get("ORGN_ODNO", "")
        if asked.get("RVSE_CNCL_DVSN_CD") == "02":
            return world.exchange.cancel(call.account, odno, quantity)
        if asked.get("RVSE_CNCL_DVSN_CD") != "01":
            raise Refused("field")
        price = _whole(asked.get("ORD_UNPR", ""))
        return world.exchange.modify(
            call.account, odno, asked.get("ORD_DVSN", ""), (quantity, price)
        )

    kind = "CANCEL" if asked.get("RVSE_CNCL_DVSN_CD") == "02" else "MODIFY"
    return await _carry_out(world, call, kind, change)


async def _carry_out(world: World, call: Call, kind: str, act: Any) -> Reply:
    world.counters.order_calls += 1
    world.counters.order_gaps[call.account.label].add(call.mono)
    line = _line(call, kind)
    try:
        order: Order = act()
    except Refused as refusal:
        world.journal.order(line | {"outcome": "refused", "msg_cd": refusal.msg_cd})
        body = {
            "rt_cd": world.scenario.refusal_rt_cd,
            "msg_cd": refusal.msg_cd,
            "msg1": f"{refusal.msg1:<80}",
        }
        return Reply(200, body)
    lost = _lost(world)
    line |= {"symbol": order.code, "side": order.side, "odno": order.odno}
    line |= {"original": order.original, "quantity": order.quantity, "price": order.price}
    world.journal.order(line | {"outcome": "lost reply" if lost else "accepted", "lost": lost})
    if lost in ("close", "hang"):
        raise LostReply(lost)
    if lost:
        world.counters.lost_replies += 1
        if lost == "EGW00301":
            return gateway_error("EGW00301")
        return Reply(500, "<html><body>502 Bad Gateway</body></html>")
    if world.scenario.notice_first:
        await asyncio.sleep(_NOTICE_LEAD_S)
    output = {"KRX_FWDG_ORD_ORGNO": FORWARDING_ORG, "ODNO": order.odno, "ORD_TMD": order.hms}
    return done({"output": output}, "APBK0013", "주문 전송 완료 되었습니다.")


def _lost(world: World) -> str:
    """How this answer gets lost, "" when it arrives."""
    if world.lose_next:
        return world.lose_next.pop(0)
    knobs = world.scenario
    if knobs.lose_reply and world.dice.random() < knobs.lose_reply:
        return knobs.lose_reply_how
    return ""


def _line(call: Call, kind: str) -> dict[str, Any]:
    asked = call.params
    return {
        "mono": call.mono,
        "wall": call.wall,
        "answered_mono": stamp()["mono"],
        "kind": "order",
        "action": kind,
        "account": call.account.label,
        "key": call.customer.label,
        "tr_id": call.tr_id,
        "symbol": asked.get("PDNO", ""),
        "side": kind if kind in ("BUY", "SELL") else "",
        "dvsn": asked.get("ORD_DVSN", ""),
        "quantity": asked.get("ORD_QTY", ""),
        "price": asked.get("ORD_UNPR", ""),
        "original": asked.get("ORGN_ODNO", ""),
    }


_BASE = "/uapi/domestic-stock/v1/trading"
ENDPOINTS = [
    Endpoint(
        "POST",
        f"{_BASE}/order-cash",
        {"TTTC0012U": "BUY", "TTTC0011U": "SELL", "TTTC0802U": "BUY", "TTTC0801U": "SELL"},
        "order",
        order_cash,
    ),
    Endpoint(
        "POST",
        f"{_BASE}/order-rvsecncl",
        {"TTTC0013U": "change", "TTTC0803U": "change"},
        "order",
        order_rvsecncl,
    ),
]
