"""The rigs that are known by name. A new one is a file more in `definitions/rigs`, and no code."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from importlib import resources

from rigs.data import load_data
from rigs.errors import RigError
from rigs.library.definition import RigDefinition, read_definition, rig_from_definition
from rigs.rig import Rig

_FOLDER = resources.files("rigs") / "definitions" / "rigs"


def rig_names() -> list[str]:
    """Return the names of all rigs, in order of the alphabet."""
    return sorted(
        file.name.removesuffix(".yaml") for file in _FOLDER.iterdir() if file.name.endswith(".yaml")
    )


@lru_cache
def load_rig(name: str) -> Rig:
    """Return the rig of a name.

    Raises:
        RigError: there is none.
    """
    return rig_from_definition(name, load_definition(name))


@lru_cache
def load_definition(name: str) -> RigDefinition:
    """Return what the file of a rig says.

    Raises:
        RigError: there is none.
    """
    known = rig_names()
    if name not in known:
        near = get_close_matches(name.lower(), known, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise RigError(f"no rig is called {name!r}; {hint}known are {', '.join(known)}")
    return read_definition(name, load_data(f"rigs/{name}"))
