"""YAML files, read safely and strictly, with errors of one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mocap.errors import ConfigError

_LARGEST = 1 << 20  # bytes; a views file of 1000 cameras is a tenth of this


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        ConfigError: it is missing, empty, no text, not YAML (with line and column), or has a key twice.
    """
    text = _text(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise ConfigError(f"{path.name}: the file is empty; it needs at least: views")
        _refuse_twice(node, path.name, set())
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"{path.name}: {where}not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{path.name}: not YAML: {error}") from error


def _text(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size > _LARGEST:
            raise ConfigError(
                f"{path}: larger than 1 MB: not a views file (a single video goes in with --video)"
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not text: a single video goes in with --video") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _refuse_twice(node: yaml.Node, name: str, seen: set[int]) -> None:
    """YAML forbids a key twice in a mapping; PyYAML takes the last in silence."""
    if id(node) in seen or isinstance(node, yaml.ScalarNode):
        return
    seen.add(id(node))
    keys: set[str] = set()
    for child in node.value:
        if isinstance(node, yaml.MappingNode):
            key, child = child
            if isinstance(key, yaml.ScalarNode):
                _refuse_key(key, keys, name)
        _refuse_twice(child, name, seen)


def _refuse_key(key: yaml.ScalarNode, keys: set[str], name: str) -> None:
    if key.value in keys:
        line = key.start_mark.line + 1
        raise ConfigError(f"{name}: line {line}: {key.value} is there twice; keep one")
    keys.add(key.value)
