"""One HTTP exchange with KIS: pooled, timed, no retries, no redirects, no secret in an error."""

from __future__ import annotations

import logging
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from kis.endpoints import Endpoint
from trading.errors import Unavailable


def new_session(pool: int = 4) -> requests.Session:
    """A session with ``pool`` kept-alive connections, blind to the machine's proxies and .netrc."""
    # urllib3 writes whole addresses at DEBUG, and those of account calls hold the account number.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    session = requests.Session()
    session.trust_env = False
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def exchange(
    session: requests.Session,
    endpoint: Endpoint,
    rest_url: str,
    *,
    headers: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    json: dict[str, str] | None = None,
) -> requests.Response:
    """One request, one answer with its body read. Unavailable when no whole answer came.

    The original exception is dropped on purpose (``from None``): requests' errors carry the
    prepared request, whose headers and address hold app secret, token and account number.
    """
    try:
        return session.request(
            endpoint.method,
            rest_url + endpoint.path,
            params=params,
            json=json,
            headers=headers,
            timeout=endpoint.timeout,
            allow_redirects=False,
        )
    except (requests.RequestException, OSError) as error:
        raise Unavailable(f"{endpoint.name}: {type(error).__name__}") from None


def open_connection(session: requests.Session, rest_url: str, fresh: bool) -> bool:
    """Have a connected connection waiting in the pool; ``fresh`` throws an idle one away first.
    Whether it is a new one.

    An idle connection that the server closes while a request is on its way costs an unknown
    outcome, so an order wants a new one. Unavailable when KIS cannot be reached.
    """
    adapter: Any = session.get_adapter(rest_url)
    pool = adapter.poolmanager.connection_from_url(rest_url)
    try:
        connection = pool._get_conn(timeout=1.0)
        if fresh:
            connection.close()
        anew = connection.sock is None
        if anew:
            connection.timeout = 3.0
            connection.connect()
        pool._put_conn(connection)
    except Exception as error:  # noqa: BLE001  urllib3's own tree, whatever it is: not connected
        raise Unavailable(f"connect: {type(error).__name__}") from None
    return bool(anew)
