"""`stockd db url`, `stockd db migrate`."""

from __future__ import annotations

import json

import click

from runtime.settings import load_settings
from runtime.stack.machine import migrate_to
from runtime.wiring import database_url


@click.group()
def db() -> None:
    """데이터베이스."""


@db.command()
@click.option("--role", required=True, help="market trader orders assets sweep site desk reader …")
@click.option("--tcp", is_flag=True, help="소켓 대신 127.0.0.1 포트")
@click.option("--json", "as_json", is_flag=True)
def url(role: str, tcp: bool, as_json: bool) -> None:
    """한 사용자의 SQLAlchemy URL."""
    known = load_settings().mariadb
    if tcp:
        known = known.model_copy(update={"socket": ""})
    shown = database_url(known, role).render_as_string(hide_password=False)
    click.echo(json.dumps({"role": role, "url": shown}) if as_json else shown)


@db.command()
def migrate() -> None:
    """테이블, 사용자, EVENT 를 이 버전에 맞춥니다."""
    version = migrate_to(load_settings())
    click.echo(f"스키마 버전 {version}")
