"""`stockd gnuboard install PATH | uninstall PATH | check PATH`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from db.halt import halt
from db.ledger import Site
from runtime import gnuboard as site
from runtime.settings import Settings, load_settings
from runtime.stack.machine import migrate_to
from runtime.wiring import engine

WHERE = click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group()
def gnuboard() -> None:
    """그누보드5 플러그인."""


@gnuboard.command()
@WHERE
@click.option("--no-database", is_flag=True, help="표와 사용자는 그대로 두고 파일만")
def install(path: Path, no_database: bool) -> None:
    """플러그인을 복사하고, 표와 사이트 사용자를 만들고, 무엇을 누를지 알려 줍니다."""
    root, settings = site.site_root(path), load_settings()
    site.same_place(root, settings)
    if not no_database:
        migrate_to(settings)
    site.write_config(root, settings)
    site.copy_plugin(root)
    for fault in site.faults(root, settings):
        click.echo(f"! {fault}", err=True)
    click.echo(f"플러그인을 {root} 에 넣었습니다.")
    click.echo("1. 사이트에 최고관리자로 로그인합니다.")
    click.echo("2. 관리자 > 자동매매 > 매매 조건 을 누릅니다.")
    click.echo("3. 조건을 추가하고(꺼진 상태) 확인한 뒤 장전합니다. 정지는 현황의 빨간 단추입니다.")
    click.echo("4. 다른 관리자에게는 환경설정 > 관리권한설정 에서 770100-770400 을 줍니다.")


@gnuboard.command()
@WHERE
def uninstall(path: Path) -> None:
    """플러그인을 뺍니다. 표와 조건은 남고, 장전된 조건이 있으면 기계를 정지합니다."""
    settings = load_settings()
    count = _stop_if_armed(settings)
    site.remove(path)
    click.echo(f"플러그인을 {path} 에서 뺐습니다. 표는 남아 있습니다.")
    if count:
        click.echo(
            f"장전된 조건 {count}개가 있어 정지했습니다: stockd condition list, stockd resume"
        )


@gnuboard.command()
@WHERE
@click.option("--json", "as_json", is_flag=True)
def check(path: Path, as_json: bool) -> int:
    """파일, 설정, 데이터베이스를 점검합니다. 잘못이 있으면 1."""
    found = site.faults(site.site_root(path), load_settings())
    if as_json:
        click.echo(json.dumps({"ok": not found, "faults": found}, ensure_ascii=False))
    else:
        for fault in found or ["괜찮습니다."]:
            click.echo(fault)
    return 1 if found else 0


def _stop_if_armed(settings: Settings) -> int:
    """Without the page nobody sees what is armed: halt first, then take the page away."""
    count = site.armed(settings)
    if count:
        where = Site(settings.site.database, settings.site.prefix)
        halt(engine("desk"), where, f"그누보드 플러그인 제거 (장전 {count}개)", "cli", "CLI")
    return count
