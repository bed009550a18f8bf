"""One view of one person, lifted: where joints are about the hips, which way is up, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera
from mocap.keypoints import Indices, Layout
from mocap.lift.network import REACH, Network, load_lifter
from mocap.lift.outputs import DEPTH, SPREAD, UNIT, WIDTH
from mocap.lift.points import CONTACT_MIRROR, mirror
from mocap.lift.sight import RATE, Sight, look
from mocap.observations import Observations

Floats = NDArray[np.float64]

CHUNK = 2000  # frames at once
UNSURE = 0.2  # confidence of landmarks that were left out since then
FLIP = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Lifted:
    """A person over T frames in the axes of the camera, in statures.

    points (T, N, 3): of `mocap.lift.points`, about the middle of the hips; across, along (T, N): how far they
    may be off across and along the line of sight, one standard deviation; hips (T, 3): from the camera; up
    (T, 3): the world's up, of any length; stands (T, 4): logarithm of the odds that a sole of `CONTACTS`
    stands. NaN where nobody was seen.
    """

    points: Floats
    across: Floats
    along: Floats
    hips: Floats
    up: Floats
    stands: Floats

    def turned(self, turns: Floats) -> Lifted:
        """Return the same in other axes: turns (T, 3, 3), these from the camera's."""
        points, hips, up = (
            (a.reshape(len(a), -1, 3) @ turns.swapaxes(1, 2)).reshape(a.shape)
            for a in (self.points, self.hips, self.up)
        )
        return replace(self, points=points, hips=hips, up=up)

    @property
    def upright(self) -> Floats:
        """The world's up (3,) before a still camera, of length one."""
        up = np.nanmedian(self.up, axis=0)
        return np.asarray(up / np.linalg.norm(up))


@dataclass(frozen=True, eq=False)
class View:
    """What is lifted: image (T, J, 2), confidence (T, J), the detector's guess (T, J, 3); up (3,)."""

    image: Floats
    confidence: Floats
    world: Floats
    up: Floats | None

    def frames(self, rows: Indices) -> View:
        """Return some of the frames."""
        return View(self.image[rows], self.confidence[rows], self.world[rows], self.up)

    def mirrored(self, side: Indices) -> View:
        """Return the same in a mirror."""
        up = None if self.up is None else self.up * FLIP
        return View(self.image[:, side] * FLIP[:2], self.confidence[:, side], self.world[:, side] * FLIP, up)

    def sight(self) -> Sight:
        """What the network sees of it."""
        return look(self.image, self.confidence, self.world, self.up)


def lift_view(seen: Observations, camera: Camera, up: Floats | None) -> Lifted | None:
    """Lift the person whom the only view of `seen` saw, as its detector saw him before anything was refined.

    Args:
        seen: one view, with the detector's guess.
        camera: its lens.
        up: (3,) the world's up in the camera's axes, if known.

    Returns:
        None where no lifter was trained for the layout.

    Raises:
        MocapError: the weights of the package are damaged.
    """
    raw = seen.as_detected()
    network = load_lifter(raw.layout.name)
    if network is None:
        return None
    assert raw.world is not None
    left_out = np.isfinite(raw.pixels[0]).all(axis=-1) & (raw.confidence[0] == 0)
    confidence = np.where(left_out, UNSURE, raw.confidence[0])
    image = camera.undistort(raw.pixels[0])
    return lift(image, confidence, raw.world[0], float(raw.fps), raw.layout, network, up)


def lift(
    image: Floats,
    confidence: Floats,
    world: Floats,
    fps: float,
    layout: Layout,
    network: Network,
    up: Floats | None = None,
) -> Lifted:
    """Lift one person in one view.

    Args:
        image: (T, J, 2) undistorted x/z, y/z as detected, NaN where unseen.
        confidence: (T, J), 0 where unseen.
        world: (T, J, 3) the detector's guess, metres, camera axes.
        fps: frames a second; every so manieth is taken at once to come near to `RATE`.
        layout: of the J axis.
        network: of `load_lifter`.
        up: (3,) the world's up in the camera's axes, if known.
    """
    view, step = View(image, confidence, world, up), max(1, round(fps / RATE))
    out: dict[str, Floats] = {}
    for phase in range(min(step, len(image))):
        rows = np.arange(phase, len(image), step)
        seen = (confidence[rows] > 0).any(axis=1)
        for name, values in _lifted(view.frames(rows), layout, network).items():
            whole = out.setdefault(name, np.full((len(image), *values.shape[1:]), np.nan))
            whole[rows[seen]] = values[seen]
    return Lifted(**out)


def _lifted(view: View, layout: Layout, network: Network) -> dict[str, Floats]:
    """Every frame of a view, chunk by chunk with what reaches into it."""
    frames, parts = len(view.image), []
    for start in range(0, frames, CHUNK):
        first, stop = max(0, start - REACH), min(frames, start + CHUNK)
        piece = view.frames(np.arange(first, min(frames, stop + REACH)))
        said = _both_ways(piece, layout, network)
        parts.append({name: a[start - first : stop - first] for name, a in said.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _both_ways(view: View, layout: Layout, network: Network) -> dict[str, Floats]:
    """The mean of what is said of the image and of its mirror image, in camera axes."""
    sight = view.sight()
    one, other = _said(sight, network), _said(view.mirrored(layout.mirror).sight(), network)
    side = mirror()
    back = {
        "points": other["points"][:, side] * FLIP,
        "spread": other["spread"][:, side],
        "depth": other["depth"][:, side],
        "root": other["root"] * FLIP,
        "root_spread": other["root_spread"],
        "up": other["up"] * FLIP,
        "contact": other["contact"][:, CONTACT_MIRROR],
    }
    mean = {name: (one[name] + back[name]) / 2 for name in one}
    turn, extent = sight.turn, sight.extent[:, None]
    distance = np.exp(mean["root"][:, 2:]) / extent
    hips = np.concatenate([mean["root"][:, :2] * extent, np.ones_like(distance)], axis=1) * distance
    return {
        "points": mean["points"] @ turn,
        "across": SPREAD * np.exp(mean["spread"]),
        "along": DEPTH * np.exp(mean["depth"]),
        "hips": (hips[:, None] @ turn)[:, 0],
        "up": (mean["up"][:, None] @ turn)[:, 0],
        "stands": mean["contact"],
    }


def _said(sight: Sight, network: Network) -> dict[str, Floats]:
    """What the network says, by name, spreads as logarithms over their units."""
    out = network(sight.features).astype(float)
    parts = np.split(out, np.cumsum(list(WIDTH.values()))[:-1], axis=1)
    said = dict(zip(WIDTH, parts, strict=True))
    said["points"] = said["points"].reshape(len(out), -1, 3) * UNIT
    return said
