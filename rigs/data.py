"""The data files of this package, `definitions/*.yaml`, read in one place.

A file that stands beside as JSON is read instead: copies of this package for programs whose Python has no
YAML, such as Blender's, hold only these.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

_FOLDER = "definitions"


def has_data(name: str) -> bool:
    """Whether there are data of a name, such as "contact"."""
    folder = resources.files(__package__) / _FOLDER
    return any((folder / f"{name}{suffix}").is_file() for suffix in (".json", ".yaml"))


def load_data(name: str) -> Any:
    """Return what a data file says, as plain dictionaries, lists, numbers and texts."""
    folder = resources.files(__package__) / _FOLDER
    plain = folder / f"{name}.json"
    if plain.is_file():
        return json.loads(plain.read_text(encoding="utf-8"))
    import yaml

    return yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
