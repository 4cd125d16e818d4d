"""A Redis client for the budget: every wait ends, one quiet retry, answers as bytes."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_S = 1.0  # Redis answers in 0.2 ms; an order must not wait long for one that hangs


def connect(url: str, timeout_s: float = TIMEOUT_S) -> redis.Redis:
    """A client of ``url``; nothing is opened yet.

    One retry without a pause: after a restart of Redis each pooled connection fails once. The
    scripts bear being run twice. Longer patience is the caller's business, it knows its deadline.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        **({} if url.startswith("unix:") else {"socket_keepalive": True}),
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError],
        decode_responses=False,
    )
