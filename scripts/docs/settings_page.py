"""The settings reference, from `runtime.settings.Settings` and the words beside this file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from runtime.settings import Settings, env_name

WORDS = Path(__file__).with_name("settings_words.toml")
HEAD = {
    "ko": """# 설정 참조

설정은 `stockd.toml` 파일 하나입니다 (자리는 `STOCKD_CONFIG`, 없으면 지금 폴더의
`stockd.toml`). 모든 값은 환경 변수로도 줄 수 있고, 환경 변수가 이깁니다: `kis.rest_url` 은
`STOCKD_KIS__REST_URL`. 비밀은 파일에서 읽을 수 있습니다: 파일에서는 이름 뒤에 `_file`, 환경
변수에서는 `_FILE`. 틀린 이름이나 값은 시작을 막고 이름을 말합니다. 지금 무엇이 쓰이는지는
`stockd config show` (비밀은 가려집니다).

이 쪽은 설정 클래스에서 만들어집니다 (`make docs`).
""",
    "en": """# Settings reference

Settings stand in one `stockd.toml` (its place: `STOCKD_CONFIG`, else `stockd.toml` in this
folder). Each can be given in the environment too, which wins: `kis.rest_url` is
`STOCKD_KIS__REST_URL`. A secret can be read from a file: `_file` after its name in the
file, `_FILE` in the environment. A wrong name or value stops the start and is named.
`stockd config show` prints what counts, secrets masked.

This page is made from the settings class (`make docs`).
""",
}
COLUMNS = {"ko": "| 설정 | 기본값 | 값 | 뜻 |", "en": "| setting | default | values | meaning |"}
KINDS = {
    "ko": {
        "secret": "비밀", "list": "목록", "text": "글", "number": "수", "only": "환경 변수로만",
        "each": "항목마다", "needed": "꼭 적음", "role": "역할마다",
    },
    "en": {
        "secret": "secret", "list": "list", "text": "text", "number": "number",
        "only": "environment only", "each": "each entry", "needed": "needed", "role": "each role",
    },
}  # fmt: skip


class Setting(NamedTuple):
    """One setting: ``key`` as in the file (``[]`` for each entry of a list)."""

    key: str
    field: FieldInfo

    @property
    def env(self) -> str:
        return env_name(self.key.replace("[]", ".0"))


def settings(model: type[BaseModel] = Settings, above: str = "") -> Iterator[Setting]:
    """Every setting there is, in the order of the class."""
    for name, field in model.model_fields.items():
        key = f"{above}{name}"
        inner = _model(field.annotation)
        if inner is None:
            yield Setting(key, field)
        else:
            many = "[]" if get_origin(field.annotation) is tuple else ""
            yield from settings(inner, f"{key}{many}.")


def words() -> dict[str, dict[str, str]]:
    """``{"kis.env": {"ko": …, "en": …}}``, and one entry a table of the file (``"kis"``)."""
    found: dict[str, dict[str, str]] = tomllib.loads(WORDS.read_text("utf-8"))
    return found


def page(language: str) -> str:
    """The reference as Markdown; KeyError names the setting nobody has described."""
    said, out, table = words(), [HEAD[language]], ""
    for one in settings():
        above = one.key.rpartition(".")[0]
        if above != table or not out[1:]:
            table = above
            name = f"[{above}]" if "[]" not in above else f"[[{above.replace('[]', '')}]]"
            title = f"`{name}`" if above else f"`{one.env}`"
            lead = f"\n{said[above][language]}\n" if above else ""
            out.append(f"\n## {title}\n{lead}\n{COLUMNS[language]}\n| --- | --- | --- | --- |")
        out.append(_row(one, said[one.key][language], language))
    return "\n".join(out) + "\n"


def _row(one: Setting, meaning: str, language: str) -> str:
    name = one.env if one.key == "live" else one.key.rpartition(".")[2]
    cells = (f"`{name}`", _default(one.field, language), _values(one, language), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo, language: str) -> str:
    value = field.default
    if value is PydanticUndefined:
        return KINDS[language]["needed"]
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value in ("", (), {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{json.dumps([str(one) for one in value], ensure_ascii=False)}`"
    return f"`{value}`"


def _values(one: Setting, language: str) -> str:
    kinds, kind = KINDS[language], one.field.annotation
    if one.key == "live":
        return f"`yes` `no`, {kinds['only']}"
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        kind = next(part for part in parts if part is not NoneType)
        origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " ".join(f"`{part}`" for part in parts)
    if kind is bool:
        return "`true` `false`"
    if kind is int:
        return _range(one.field) or kinds["number"]
    if origin is dict:
        return f"{kinds['secret']}, {kinds['role']}"
    if origin is tuple and issubclass(parts[0], Enum):
        return " ".join(f"`{one.value}`" for one in parts[0])
    if origin is tuple:
        return kinds["list"] + (f", {kinds['secret']}" if parts[0] is SecretStr else "")
    return kinds["secret"] if kind is SecretStr else kinds["text"]


def _range(field: FieldInfo) -> str:
    low = next((one.ge for one in field.metadata if getattr(one, "ge", None) is not None), None)
    high = next((one.le for one in field.metadata if getattr(one, "le", None) is not None), None)
    return "" if low is None and high is None else f"{low} … {'' if high is None else high}".strip()


def _model(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) is tuple:
        annotation = get_args(annotation)[0]
    return (
        annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    )
