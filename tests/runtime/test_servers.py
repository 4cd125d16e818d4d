"""The private servers: up in a directory of their own, killed, and back on the same port."""

from __future__ import annotations

from pathlib import Path

import redis
import sqlalchemy as sa

from runtime.servers import SUN_PATH_MAX, MariaDBServer, RedisServer


def test_the_private_mariadb_is_set_up_as_the_machine_needs_it(admin_engine: sa.Engine) -> None:
    with admin_engine.connect() as connection:
        said = dict(
            connection.execute(
                sa.text(
                    "SHOW VARIABLES WHERE Variable_name IN ('event_scheduler', 'time_zone',"
                    " 'innodb_flush_log_at_trx_commit', 'log_bin', 'bind_address', 'tx_isolation')"
                )
            ).all()
        )
        users = connection.execute(sa.text("SELECT user FROM mysql.user WHERE user = ''")).all()
    assert said == {
        "event_scheduler": "ON",
        "time_zone": "+09:00",
        "innodb_flush_log_at_trx_commit": "1",
        "log_bin": "OFF",
        "bind_address": "127.0.0.1",
        "tx_isolation": "READ-COMMITTED",
    }
    assert users == [], "nobody signs in without a name"


def test_the_private_redis_keeps_its_word(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_killed_servers_come_back_on_the_same_doors_with_their_data(tmp_path: Path) -> None:
    # deep enough that a unix socket would not fit beside the data
    deep = tmp_path / ("a-very-long-directory-name-" * 4)
    maria, valkey = MariaDBServer(deep / "mariadb"), RedisServer(deep / "redis")
    try:
        for server in (maria, valkey):
            server.start(bound=True)
        for server in (maria, valkey):
            server.wait_ready()
        assert len(maria.socket) <= SUN_PATH_MAX
        doors = (maria.socket, maria.port, valkey.port, valkey.password)
        with maria.connect_admin() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE kept")
        redis.Redis.from_url(valkey.url()).execute_command("SET", "kept", "1")
        redis.Redis.from_url(valkey.url()).execute_command("WAITAOF", "1", "0", "5000")
        maria.kill()
        valkey.kill()
        assert not maria.is_up()
        assert not valkey.is_up()
        for server in (maria, valkey):
            server.start(bound=True)
        for server in (maria, valkey):
            server.wait_ready()
        assert doors == (maria.socket, maria.port, valkey.port, valkey.password)
        with maria.connect_admin() as connection, connection.cursor() as cursor:
            assert cursor.execute("SHOW DATABASES LIKE 'kept'") == 1
        assert redis.Redis.from_url(valkey.url()).get("kept") == b"1"
    finally:
        valkey.stop()
        maria.stop()
        Path(maria.socket).unlink(missing_ok=True)
        if Path(maria.socket).parent.name.startswith("stockd-"):
            Path(maria.socket).parent.rmdir()
