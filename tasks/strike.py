"""타격: wake-ups of the order worker. A message carries nothing; the ledger says what is due."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_init, worker_process_init, worker_ready, worker_shutdown

from runtime import orders, wake_ups, wiring
from runtime.celeryapp import app
from runtime.large_pages import take_large_pages
from runtime.scheduling import take_short_turns


# "1/s" paces the dispatch as the plan says; that it is 1.000 s at the broker is order_gate's work.
# Nobody retries an order.
@app.task(name="tasks.strike.send", rate_limit="1/s", ignore_result=True)
def send() -> str:
    """SENT, AGAIN, IDLE, STANDBY, GATE, WAIT, BUDGET, BROKER, LOST or TROUBLE
    (trading/execution.py)."""
    what = orders.serve_next().what
    if what == "AGAIN":  # a refused token is no order: the strike is due once more
        wake_ups.wake()
    return what


@app.task(name="tasks.strike.ready", ignore_result=True)
def ready() -> str:
    """Open everything before the first strike: connections, token, ledger and broker compared."""
    return orders.get_ready()


# no events: it would fill Flower's list
@app.task(name="tasks.strike.rehearse", ignore_result=True, send_events=False)
def rehearse() -> str:
    """The way of a strike in vain: IDLE, STANDBY, WAIT or what was in the way."""
    return orders.rehearse()


@app.task(name="tasks.strike.sweep", ignore_result=True)
def sweep() -> tuple[int, int, bool]:
    """(expired, given up, whether a wake-up was published)."""
    return orders.sweep()


def _serves_orders(worker: Any) -> bool:
    return "orders" in worker.app.amqp.queues.consume_from


@worker_init.connect
def _stand_by(sender: Any = None, **_: Any) -> None:
    if sender is not None and _serves_orders(sender):
        take_short_turns()  # its pool child takes them over
        orders.stand_by()


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    wiring.forget()  # a connection must not be shared with the parent
    orders.forget()


@worker_ready.connect
def _warm_up(sender: Any = None, **_: Any) -> None:
    if sender is not None and "orders" in app.amqp.queues.consume_from:
        wake_ups.warm_up_publisher()
        take_large_pages()


@worker_shutdown.connect
def _leave(sender: Any = None, **_: Any) -> None:
    if sender is not None and _serves_orders(sender):
        orders.leave()
