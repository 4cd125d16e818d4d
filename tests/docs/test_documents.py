"""What the documents say is so: links lead somewhere, commands and settings exist, references are
those of the code, and every alarm has its section in both languages."""

from __future__ import annotations

import re
import shlex
from urllib.parse import unquote

import click
import pytest

from cli import stockd
from db.grants import RIGHTS, VIEWS
from runtime.alarms.judge import KINDS
from scripts.docs import make, settings_page, tables_page
from tests.docs import pages
from trading.drills import DRILLS

ROOT, DOCS = pages.ROOT, pages.DOCS
NAMES = [str(page.relative_to(ROOT)) for page in pages.PAGES]
WORD = re.compile(r"[a-z][a-z-]*$")
COMPOSE = re.compile(r"docker compose run --rm (?:desk|doctor)\s*")


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page, dead = ROOT / name, []
    for link in pages.links(page):
        if re.match(r"[a-z]+:", link):
            continue
        where, _, anchor = unquote(link).partition("#")
        target = (page.parent / where).resolve() if where else page
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in pages.anchors(target)
        ):
            dead.append(link)
    assert dead == []


def typed() -> list[tuple[str, list[str]]]:
    """(page, words) of every stockd command line the documents show."""
    found = []
    for page in pages.PAGES:
        for said in pages.code(page):
            line = re.split(r"\s#\s|\s[>]|;|&&|\||·", COMPOSE.sub("stockd ", said.line))
            for part in line:
                call = re.match(r"(?:STOCKD_LIVE=yes )?(?:\.venv/bin/)?stockd (.*)", part.strip())
                if call:
                    words = call[1].replace("'#", "'")
                    try:
                        found.append((said.page, shlex.split(words)))
                    except ValueError:  # a quotation that goes on behind the separator
                        found.append((said.page, words.split()))
    return found


def test_commands_of_the_documents_exist_with_their_options() -> None:
    wrong, seen = [], set()
    for page, line in typed():
        words = line
        if not words or not WORD.match(words[0]):
            continue
        context, command = click.Context(stockd), stockd
        while isinstance(command, click.Group) and words and WORD.match(words[0]):
            step = command.get_command(context, words[0])
            if step is None:
                wrong.append((page, " ".join(words)))
                break
            seen.add(words[0])
            command, words = step, words[1:]
        else:
            wrong += [(page, f"{command.name} {one}") for one in _unknown_options(command, words)]
    assert wrong == []
    assert {"doctor", "probe", "drill", "halt", "resume", "explain", "backup"} <= seen


def _unknown_options(command: click.Command, words: list[str]) -> list[str]:
    if command.context_settings.get("ignore_unknown_options"):
        return []  # hands them on: the simulator has its own
    known = {opt for one in command.params for opt in (*one.opts, *one.secondary_opts)}
    return [one for one in words if one.startswith("--") and one.split("=")[0] not in known]


def test_make_targets_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in pages.PAGES:
        for said in pages.code(page):
            for named in re.findall(r"(?:^|&& )make ([a-z-]+)", said.line):
                assert named in targets, (said.page, said.line)


def test_settings_named_in_the_documents_exist() -> None:
    keys = {one.key.replace("[]", "") for one in settings_page.settings()}
    tables = {key.partition(".")[0] for key in keys if "." in key}
    for page in pages.PAGES:
        if page.parent.name == "adr":
            continue  # decisions tell what was, too
        for said in pages.code(page):
            if re.fullmatch(rf"({'|'.join(tables)})\.[a-z_]+", said.line):
                file = re.fullmatch(r"(market|watch|trade|record)\.(py|sql|md|toml)", said.line)
                column = said.line.partition(".")[2] in _columns(said.line.partition(".")[0])
                assert file or column or said.line in keys, (said.page, said.line)


def _columns(table: str) -> set[str]:
    return {c.name for name, _, one in tables_page.tables() if name == table for c in one.columns}


def test_every_setting_has_words_and_no_words_lack_a_setting() -> None:
    keys = {one.key for one in settings_page.settings()}
    tables = {key.rpartition(".")[0] for key in keys} - {""}
    words = settings_page.words()
    assert set(words) == keys | tables
    assert all(set(said) == {"ko", "en"} and all(said.values()) for said in words.values())


def test_every_table_column_and_view_has_words_and_none_are_left_over() -> None:
    words, sql = tables_page.words(), tables_page.comments()
    tables = {one.name: one for _, _, one in tables_page.tables()}
    used = set()
    for name, table in tables.items():
        for column in table.columns:
            for language in ("ko", "en"):
                assert tables_page.meaning(name, column.name, language, sql)
            own = f"{name}.{column.name}"
            used.add(own if own in words["column"] else column.name)
    assert set(words["column"]) == used
    assert set(words["table"]) == set(tables)
    assert set(words["view"]) == set(VIEWS)


def test_the_sql_comments_are_found() -> None:
    found = tables_page.comments()
    assert found["market"] == "시장 플랫폼 테이블 (덮어쓰기)"
    assert found["market.recent"].startswith("최근 체결 ")  # stands on a line of its own
    assert found["strike.cancel_at"] == "취소 호출을 쥔 때"  # added by a later migration
    assert found["stockd_condition.arm_no"].startswith("장전할 때마다")


def test_the_reference_pages_are_those_of_the_code() -> None:
    assert make.old() == [], "python -m scripts.docs.make writes them anew"


def test_the_reference_says_who_the_server_lets_write() -> None:
    shown = tables_page.page("en")
    strike = shown[shown.index("## `strike`") :].partition("\n| column")[0]
    assert "written by: `trader`, `orders`" in strike
    assert all(f"`{role}`" in shown for role in RIGHTS)


@pytest.mark.parametrize("name", ["runbook.md", "en/runbook.md"])
def test_every_alarm_has_its_section_in_both_languages(name: str) -> None:
    assert {*KINDS, "morning", "evening"} <= pages.anchors(DOCS / name)


def test_korean_and_english_have_the_same_pages() -> None:
    korean = {one.name for one in (DOCS / "ko").glob("*.md")}
    english = {one.name for one in (DOCS / "en").glob("*.md")}
    assert english - korean == {"index.md", "runbook.md"}  # docs/index.md, docs/runbook.md
    assert korean <= english


def test_states_and_drills_named_are_the_machines() -> None:
    for page in DOCS.rglob("paper.md"):
        assert "`stockd drill all`" in page.read_text("utf-8")
    limits = (DOCS / "ko" / "settings.md").read_text("utf-8")
    for code in re.findall(r"\(([A-Z]+_[A-Z]+)\)", limits):
        assert code in DRILLS, code


def test_pictures_are_small_and_all_shown() -> None:
    pictures = set((DOCS / "images").iterdir())
    shown = {
        (page.parent / link).resolve() for page in DOCS.rglob("*.md") for link in pages.links(page)
    }
    assert pictures <= shown
    assert all(one.stat().st_size < 100_000 for one in pictures)
