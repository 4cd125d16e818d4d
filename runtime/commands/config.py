"""`stockd config show`: every setting as it counts, secrets masked."""

from __future__ import annotations

import json

import click

from runtime.settings import load_settings


@click.group()
def config() -> None:
    """설정."""


@config.command()
@click.option("--json", "as_json", is_flag=True)
def show(as_json: bool) -> None:
    """모든 설정 (비밀은 가림)."""
    shown = load_settings().model_dump(mode="json")
    if shown["kis"]["hts_id"]:
        shown["kis"]["hts_id"] = "**********"  # who the account's owner is (P13)
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    for key, value in _lines(shown):
        click.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}")


def _lines(node: object, key: str = "") -> list[tuple[str, object]]:
    if isinstance(node, dict) and node:
        return [line for name, one in node.items() for line in _lines(one, f"{key}.{name}")]
    if isinstance(node, list) and node and isinstance(node[0], dict):
        return [line for number, one in enumerate(node) for line in _lines(one, f"{key}.{number}")]
    return [(key.lstrip("."), node)]
