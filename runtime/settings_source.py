"""Where raw settings come from: the file, then the environment on top of it."""

from __future__ import annotations

import json
import tomllib
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from trading.errors import ConfigError

PREFIX = "STOCKD_"
CONFIG = "STOCKD_CONFIG"
DEFAULT_FILE = "stockd.toml"


class Problem(Exception):
    """A rule over several settings is broken. Not a ValueError: pydantic lets it pass as it is."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key, self.reason = key, reason


def gather(environ: dict[str, str], directory: Path, model: type[BaseModel]) -> dict[str, Any]:
    """Nested dict of the file (``STOCKD_CONFIG``, else ./stockd.toml if there) and the environment.

    ConfigError for an unreadable file or a STOCKD_ variable that names no setting.
    """
    raw = _file(environ, directory)
    if "live" in raw:
        raise ConfigError("live (STOCKD_LIVE)", "only in the environment: a file may be copied")
    _read_secret_files(raw, directory, "")
    for name in sorted(environ):
        if name.startswith(PREFIX) and name != CONFIG:
            _override(raw, name, environ[name], directory, model)
    return raw


def _file(environ: dict[str, str], directory: Path) -> dict[str, Any]:
    named = environ.get(CONFIG)
    path = directory / (named or DEFAULT_FILE)
    if not named and not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        read: dict[str, Any] = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ConfigError(CONFIG, f"{path}: {error.strerror}") from None
    except ValueError as error:  # TOMLDecodeError, JSONDecodeError, UnicodeDecodeError
        raise ConfigError(CONFIG, f"{path}: {error}") from None
    return read


def _read_secret_files(node: Any, directory: Path, key: str) -> None:
    """``app_secret_file = "path"`` in the file becomes ``app_secret`` with the file's content."""
    for name, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        below = f"{key}.{name}".lstrip(".")
        if isinstance(value, dict | list):
            _read_secret_files(value, directory, below)
        elif isinstance(name, str) and name.endswith("_file"):
            del node[name]
            node[name.removesuffix("_file")] = _content(directory / str(value), below)


def _content(path: Path, key: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(key, f"{path}: {error}") from None


def _override(
    raw: dict[str, Any], name: str, value: str, directory: Path, model: type[BaseModel]
) -> None:
    path = name.removeprefix(PREFIX).lower().split("__")
    kind = _kind(model, path)
    if kind is None and path[-1].endswith("_file"):
        path[-1] = path[-1].removesuffix("_file")
        kind = _kind(model, path)
        if kind is not None:
            value = _content(directory / value, name)
    if kind is None:
        raise ConfigError(name, "no such setting")
    node: Any = raw
    for part in path[:-1]:
        node = _step(node, part, name)
    last: Any = int(path[-1]) if isinstance(node, list) else path[-1]
    node[last] = _parsed(value, kind, name)


def _step(node: Any, part: str, name: str) -> Any:
    if isinstance(node, list):
        if not part.isdigit() or int(part) > len(node):
            raise ConfigError(name, f"{part!r}: the number of an entry (0 … {len(node)}) expected")
        if int(part) == len(node):
            node.append({})
        return node[int(part)]
    return node.setdefault(part, [] if part == "sections" else {})


def _kind(annotation: Any, path: list[str]) -> Any:
    """Type of the setting at ``path``, None when there is none."""
    for part in path:
        origin = get_origin(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(part)
            annotation = field.annotation if field else None
        elif origin is tuple and part.isdigit():
            annotation = get_args(annotation)[0]
        elif origin is dict:
            annotation = get_args(annotation)[1]
        else:
            return None
    return annotation


def _parsed(value: str, kind: Any, name: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType) and value == "":
        return None
    if origin not in (tuple, dict):
        return value
    if value.lstrip().startswith(("[", "{")):
        try:
            return json.loads(value)
        except ValueError as error:
            raise ConfigError(name, f"not JSON: {error}") from None
    return [part.strip() for part in value.split(",") if part.strip()]
