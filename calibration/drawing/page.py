"""A camera rig as a page for the browser, to be turned by hand; all in one file, for any machine."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from calibration.camera import Cameras
from calibration.drawing.scene import Scene, arrange, distances, remarks
from calibration.saving import save


def write_page(
    cameras: Cameras,
    path: str | Path,
    *,
    points: ArrayLike | None = None,
    floor: bool = True,
    sd: ArrayLike | None = None,
    errors_px: ArrayLike | None = None,
    offsets: Sequence[float | None] | None = None,
    title: str = "Camera rig",
) -> None:
    """Write a page that shows a rig, with tables of what is known of it; loads nothing from anywhere.

    Args:
        cameras: V cameras; world y up, metres.
        path: the HTML file; replaced if it exists.
        points: (N, 3) board corners or tracks of feet, NaN = unknown; None = no points.
        floor: whether y = 0 is the floor.
        sd: (V, 3) standard deviation of the cameras' centres, metres; NaN = unknown, 0 = held fixed.
        errors_px: (V,) what each camera is off by, pixels.
        offsets: (V,) seconds added to each view's own times; None = unknown.
        title: the heading.

    Raises:
        ValueError: shapes that do not fit.
        FileError: the file cannot be written.
    """
    scene = arrange(cameras, points=points, floor=floor, sd=sd, errors_px=errors_px, offsets=offsets)
    save(path, rig_html(scene, title))


def rig_html(scene: Scene, title: str = "Camera rig") -> str:
    """Return the page that `write_page` writes."""
    parts = {
        "TITLE": escape(title),
        "REMARKS": escape(" · ".join(remarks(scene))),
        "CAMERAS": _cameras(scene),
        "DISTANCES": _distances(scene),
        # In a script element only "<" could end it; JSON may write that as an escape.
        "SCENE": json.dumps(_numbers(scene), allow_nan=False).replace("<", "\\u003c"),
    }
    page = resources.files("calibration.drawing").joinpath("rig.html").read_text(encoding="utf-8")
    return re.sub(
        "%([A-Z]+)%", lambda found: parts[found[1]], page
    )  # what is filled in is not looked at again


def _numbers(scene: Scene) -> dict[str, Any]:
    """What the page draws, as plain numbers in tenths of a millimetre."""

    def plain(array: ArrayLike) -> Any:
        return np.round(np.asarray(array), 4).tolist()

    cameras = [
        {
            "name": name,
            "colour": scene.colour(view),
            "centre": plain(scene.centres[view]),
            "frustum": plain(scene.frusta[view]),
            "sd": scene.sd[view].tolist() if scene.unsure(view) else None,
        }
        for view, name in enumerate(scene.names)
    ]
    return {
        "cameras": cameras,
        "points": plain(scene.points),
        "low": scene.low.tolist(),
        "high": scene.high.tolist(),
        "ground": 0.0 if scene.floor else float(scene.low[1]),
        "step": scene.step,
        "enlarged": scene.enlarged,
    }


def _cameras(scene: Scene) -> str:
    """A row for each camera, a column for each fact that is known of any."""
    known = dict.fromkeys(heading for facts in scene.facts for heading, _ in facts)
    rows = [[dict(facts).get(heading, "") for heading in known] for facts in scene.facts]
    return _table(scene, ["camera", *known], rows)


def _distances(scene: Scene) -> str:
    metres = distances(scene)
    rows = [["" if a == b else f"{metres[a, b]:.3f}" for b in range(len(metres))] for a in range(len(metres))]
    return _table(scene, ["", *scene.names], rows)


def _table(scene: Scene, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    lines = [f"<tr>{head}</tr>"]
    for view, row in enumerate(rows):
        cells = "".join(f"<td>{escape(cell)}</td>" if cell else '<td class="none">–</td>' for cell in row)
        swatch = f'<i style="background: {scene.colour(view)}"></i>'
        lines.append(f"<tr><th>{swatch}{escape(scene.names[view])}</th>{cells}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"
