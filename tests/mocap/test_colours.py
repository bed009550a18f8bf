"""Colours that people show, in painted images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from mocap.detect.base import Detection
from mocap.detect.colours import PARTS, colours_of, with_colours
from mocap.keypoints import Layout, load_layout
from mocap.video import Frame

LAYOUT = load_layout("blazepose33")
RED, GREEN, BLUE, SKIN, GREY = (200, 30, 30), (20, 160, 40), (30, 40, 190), (220, 170, 140), (128, 128, 128)
STANDING = {
    "nose": (100, 30), "left_eye": (104, 26), "right_eye": (96, 26),
    "left_ear": (110, 28), "right_ear": (90, 28),
    "left_shoulder": (120, 60), "right_shoulder": (80, 60), "left_hip": (112, 130), "right_hip": (88, 130),
    "left_elbow": (135, 95), "right_elbow": (65, 95), "left_wrist": (140, 130), "right_wrist": (60, 130),
    "left_knee": (114, 180), "right_knee": (86, 180), "left_ankle": (115, 230), "right_ankle": (85, 230),
}  # fmt: skip


def points(moved: tuple[float, float] = (0, 0), wide: float = 1.0) -> np.ndarray:
    """Landmarks (33, 2) of somebody who stands, `wide` times as wide; those that no part needs are NaN."""
    out = np.full((len(LAYOUT), 2), np.nan)
    for name, (x, y) in STANDING.items():
        out[LAYOUT.index(name)] = 100 + (x - 100) * wide + moved[0], y + moved[1]
    return out


def painted(at: np.ndarray) -> np.ndarray:
    """Somebody in red above, blue trousers, green sleeves on the left only."""
    image = np.full((260, 200, 3), GREY, np.uint8)
    where = {name: tuple(int(v) for v in at[LAYOUT.index(name)].round()) for name in STANDING}
    cv2.circle(image, where["nose"], 16, SKIN, -1)
    trunk = np.array([where[f"{n}"] for n in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")])
    cv2.fillConvexPoly(image, trunk, RED)
    for side, sleeve in (("left", GREEN), ("right", SKIN)):
        for joints, colour in ((("shoulder", "elbow", "wrist"), sleeve), (("hip", "knee", "ankle"), BLUE)):
            chain = np.array([where[f"{side}_{joint}"] for joint in joints])
            cv2.polylines(image, [chain], False, colour, 9)
    return image


def lab(colour: tuple[int, int, int]) -> np.ndarray:
    return cv2.cvtColor(np.float32([[colour]]) / 255, cv2.COLOR_RGB2Lab)[0, 0]


def test_parts_show_their_colours() -> None:
    found = dict(zip(PARTS, colours_of(painted(points()), points(), np.ones(33), LAYOUT), strict=True))
    for part, colour in (("head", SKIN), ("chest", RED), ("belly", RED), ("hip to knee", BLUE)):
        np.testing.assert_allclose(found[part], lab(colour), atol=0.01)


@pytest.mark.parametrize(("side", "colour"), [("left", GREEN), ("right", SKIN)])
def test_the_limb_that_is_plainly_seen_better_is_looked_at(side: str, colour: tuple[int, int, int]) -> None:
    sure = np.array([0.9 if side in name else 0.6 for name in LAYOUT.landmarks])
    found = colours_of(painted(points()), points(), sure, LAYOUT)
    np.testing.assert_allclose(found[PARTS.index("elbow to wrist")], lab(colour), atol=0.01)


def test_what_is_not_to_be_seen_is_unknown() -> None:
    aside = points(wide=0.2)  # trunks from the side are hidden by arms
    known = np.isfinite(colours_of(painted(aside), aside, np.ones(33), LAYOUT)[:, 0])
    assert not known[[PARTS.index("chest"), PARTS.index("belly")]].any() and known[0]
    below = points(moved=(0, 100))  # whose shins are outside the image
    known = np.isfinite(colours_of(painted(points()), below, np.ones(33), LAYOUT)[:, 0])
    assert not known[PARTS.index("knee to ankle")] and known[PARTS.index("chest")]
    unsure = np.where([name.endswith(("knee", "ankle")) for name in LAYOUT.landmarks], 0.2, 0.9)
    known = np.isfinite(colours_of(painted(points()), points(), unsure, LAYOUT)[:, 0])
    assert not known[PARTS.index("hip to knee")] and known[PARTS.index("chest")]


class Behind:
    """A detector that is two frames behind those that it takes, and finds nobody in the second."""

    layout: Layout = LAYOUT
    version = ""

    def __init__(self, video: Path | None = None, alone: bool = False) -> None:
        pass

    def detect(self, frames: Iterable[Frame]) -> Iterator[Detection]:
        """Somebody who goes one pixel to the right in each frame."""
        taken: list[Frame] = []
        for frame in frames:
            taken.append(frame)
            if len(taken) > 2:
                yield self._found(taken.pop(0))
        yield from map(self._found, taken)

    def _found(self, frame: Frame) -> Detection:
        at = points(moved=(frame.index, 0)) if frame.index != 1 else np.full((33, 2), np.nan)
        return Detection(frame.index, frame.time, at[None], np.isfinite(at[None, :, 0]).astype(float))


def test_each_frame_is_looked_at_in_its_own_image() -> None:
    frames = [Frame(t, t / 30, painted(points(moved=(t, 0)))) for t in range(5)]
    frames[3] = Frame(3, 0.1, None)
    found = list(with_colours(Behind(), iter(frames)))
    chest = np.stack(
        [detection.colours[0, PARTS.index("chest")] for detection in found if detection.colours is not None]
    )
    assert [detection.index for detection in found] == list(range(5))
    np.testing.assert_allclose(chest[[0, 2, 4]], np.tile(lab(RED), (3, 1)), atol=0.01)
    assert np.isnan(chest[[1, 3]]).all()
