"""What cannot be fetched again survives the loss of the server: restored on a second one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cli import main
from db.engines import make_engine
from db.ledger import append_event, verify
from runtime import wiring
from runtime.backup import backup, read_head
from runtime.servers import MariaDBServer, find_program
from trading.errors import BadInput
from trading.lifecycle import State

pytestmark = pytest.mark.skipif(
    find_program("mariadb-dump", "mysqldump") is None, reason="apt install mariadb-client"
)
STRIKE = (
    "INSERT INTO strike (id, condition_id, arm_no, condition_rev, account, symbol, side,"
    " order_kind, venue, quantity, price, trigger_op, strike_price, tick_price, tick_seq,"
    " tick_received_at, fired_at, deadline, assets, state, updated_at)"
    " VALUES (:id, :id, 1, 1, 'a', '005930', 'BUY', 'LIMIT', 'KRX', 1, 70000, 'LE', 70000, 70000,"
    " 1, NOW(6), NOW(6), NOW(6),"
    " '{\"a\": \"따옴''표\"}', 'ACCEPTED', NOW(6))"
)


def some_trading(rig: Any) -> None:
    rig.arm("005930", memo="줄\n바꿈과 'quote' \\ 과 😀")
    for number in (1, 2, 3):
        rig.run(STRIKE, id=number)
        with rig.root.begin() as connection:
            append_event(connection, number, "", State.CLAIMED, {"말": f"{number}'\n\\"})
        with rig.root.begin() as connection:
            append_event(connection, number, State.CLAIMED, State.SENDING, {})


@pytest.fixture
def second_server(tmp_path: Path) -> Iterator[MariaDBServer]:
    server = MariaDBServer(tmp_path / "second")
    server.start(bound=True)
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


def content(engine: sa.Engine, table: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}"))]


def test_a_backup_comes_back_on_another_server_and_the_ledger_is_whole(
    rig: Any, second_server: MariaDBServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some_trading(rig)
    made = backup(tmp_path)
    assert made.rows["strike"] == 3
    assert made.path.stat().st_mode & 0o077 == 0
    kept = {one: content(rig.root, one) for one in ("strike", "order_event", "event_head", "watch")}
    memo = content(rig.root, "stockd_condition")[0][21]

    rig.settings(MARIADB__SOCKET=second_server.socket, MARIADB__ADMIN_URL=second_server.admin_url())
    with pytest.raises(SystemExit) as ended:
        main(["restore", str(made.path), "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["events_verified"] == 6

    there = make_engine(second_server.admin_url("stockd"))
    assert {one: content(there, one) for one in kept} == kept
    condition = content(there, "stockd_condition")[0]
    assert condition[21] == memo
    assert verify(wiring.engine("desk")) == (6, ""), "the users of the second server sign in"
    with there.connect() as connection:
        halted = connection.execute(sa.text("SELECT action, actor FROM stockd_halt")).one()
        armed = connection.scalar(sa.text("SELECT SUM(enabled) FROM stockd_condition"))
    assert tuple(halted) == ("HALT", "restore")
    assert armed == 0, "an arming whose strike was lost must not fire twice"
    there.dispose()

    with pytest.raises(SystemExit) as ended:  # a second time: it is not empty any more
        main(["restore", str(made.path)])
    assert ended.value.code == 2
    assert "not empty" in capsys.readouterr().err


@pytest.mark.parametrize("harm", ["cut", "flipped", "foreign", "no end"])
def test_a_damaged_file_is_refused_before_anything_is_touched(
    rig: Any, tmp_path: Path, harm: str
) -> None:
    made = backup(tmp_path / "b.sql.gz")
    whole = made.path.read_bytes()
    if harm == "cut":
        made.path.write_bytes(whole[:-50])
    elif harm == "flipped":
        made.path.write_bytes(whole[:300] + bytes([whole[300] ^ 0xFF]) + whole[301:])
    elif harm == "foreign":
        made.path.write_bytes(gzip.compress(b"-- a dump of something else\n"))
    else:
        made.path.write_bytes(gzip.compress(gzip.decompress(whole).rsplit(b"-- stockd end", 1)[0]))
    with pytest.raises(BadInput):
        read_head(made.path)


def test_a_backup_that_fails_leaves_no_file(rig: Any, tmp_path: Path) -> None:
    rig.settings(SITE__PREFIX="other_")
    with pytest.raises(sa.exc.SQLAlchemyError):
        backup(tmp_path / "b.sql.gz")
    assert not list(tmp_path.glob("b.sql*"))
