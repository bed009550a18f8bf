"""A views file with offsets filled in, and everything else, comments too, left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from mocap import storage
from mocap.errors import ConfigError

Edit = tuple[int, int, str]  # from, to, and what stands there instead


def write_offsets(source: Path, target: Path, offsets: Mapping[str, float]) -> None:
    """Write a copy of a views file in which the views have these offsets.

    Args:
        source: a views file that can be read.
        target: in the same folder, since the paths in it are relative; may be the source itself.
        offsets: seconds by name of the view.

    Raises:
        ConfigError: the target is in another folder.
        TakeError: it cannot be written; what was there stays.
    """
    if target.absolute().parent.resolve() != source.absolute().parent.resolve():
        raise ConfigError(
            f"{target}: the paths in {source.name} are relative to its folder: write the new file beside it"
        )
    text = with_offsets(source.read_text(encoding="utf-8-sig"), offsets)
    storage.write_bytes(target, text.encode())


def with_offsets(text: str, offsets: Mapping[str, float]) -> str:
    """The text of a views file with `offset` set for the views named, in seconds."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    edits = [_edit(text, view, offsets[name]) for name, view in _views(node) if name in offsets]
    for start, stop, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[stop:]
    return text


def _views(node: yaml.Node | None) -> list[tuple[str, yaml.MappingNode]]:
    """The views of a file by name, as nodes that know their place in the text."""
    table = _table(node)
    views = table.get("views")
    found = []
    for view in views.value if isinstance(views, yaml.SequenceNode) else []:
        name = _table(view).get("name")
        if isinstance(view, yaml.MappingNode) and isinstance(name, yaml.ScalarNode):
            found.append((str(name.value), view))
    return found


def _table(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _edit(text: str, view: yaml.MappingNode, offset: float) -> Edit:
    number = f"{offset:.4f}"
    there = _table(view).get("offset")
    if there is not None:
        start, stop = there.start_mark.index, there.end_mark.index
        return start, stop, number if text[start - 1 : start].isspace() else f" {number}"
    if view.flow_style:
        last = view.value[-1][1].end_mark.index
        return last, last, f", offset: {number}"
    first = view.value[0][0].start_mark
    return _after_line(text, view, first.column, number)


def _after_line(text: str, view: yaml.MappingNode, column: int, number: str) -> Edit:
    """A line of its own behind the line of the view's name, which is one of its own too."""
    name = next(value for key, value in view.value if key.value == "name")
    end = text.find("\n", name.end_mark.index)
    line = f"{' ' * column}offset: {number}"
    return (len(text), len(text), f"\n{line}\n") if end < 0 else (end + 1, end + 1, f"{line}\n")
