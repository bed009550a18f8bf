"""What the networks of `mocap.refiner` learn from: pairs of a detector's output and truth, in many guises.

To make more of few people, sequences are mirrored, turned and stretched in the image, halved in rate, and the
names of left and right are exchanged for a while, in what goes in and in the goal alike: a capture refines
keypoints before it knows better. The views of a snippet stay together, so that a loss can ask what they say
together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from fit_landmarks import Truth
from pairs import RATE, loader, read_pairs

from calibration.camera import Camera
from mocap.attach import Attachment, load_attachment
from mocap.keypoints import load_layout
from mocap.refiner import Stretch
from rigs.solving.body import load_body

TURN, STRETCH = 0.12, 0.04  # standard deviations: rad, and of a map's entries
HALVED = 0.17  # share of the snippets at half their rate
EXCHANGED = 0.25  # share of the sequences with exchanged sides
JITTER = 0.004  # of the box, added to what goes in
LAYOUT = load_layout("blazepose33")
NEAREST = 0.2  # metres from a camera to a place that counts


@dataclass(frozen=True, eq=False)
class Sequence:
    """A person in one view.

    What was seen; the goal (T, J, 2) px; pixels of image per stature (T,); and by how many of those the image
    of each landmark's place moves with the place, in statures of the world: (T, J, 2, 3).
    """

    seen: Stretch
    goal: np.ndarray
    stature_px: np.ndarray
    gain: np.ndarray

    def sample(self) -> Sample:
        """Return what the network is given, and should say."""
        _, radius = self.seen.box()
        target = (self.goal - self.seen.points) / radius[:, None, None]
        usable = np.isfinite(target).all(axis=-1) & (self.seen.confidence > 0)
        target = np.where(usable[..., None], target, 0.0)
        box = (radius / self.stature_px)[:, None].astype(np.float32)
        gain = np.where(usable[..., None, None], self.gain, 0.0).astype(np.float32)
        return Sample(self.seen.features(), target.astype(np.float32), usable, box, gain)


@dataclass(frozen=True, eq=False)
class Sample:
    """Features (T, F), corrections (T, J, 2) of the box, which count (T, J); the box in statures (T, 1).

    gain: (T, J, 2, 3), see `Sequence`; zero where the landmark does not count, or is named as another.
    """

    features: np.ndarray
    target: np.ndarray
    usable: np.ndarray
    box: np.ndarray
    gain: np.ndarray


def read(folder: Path, split: str) -> Iterator[list[Sequence]]:
    """Give the views of every snippet, sides put right."""
    body = load_body()
    attachment = load_attachment(LAYOUT, body)
    for pair in read_pairs(folder, split):
        seen, world = pair.seen, pair.seen.world
        assert world is not None
        places = attached(Truth(pair.snippet, body, loader(folder)), attachment)
        views = []
        for v, camera in enumerate(pair.cameras):
            if v != pair.bad_view():
                one = Stretch(seen.pixels[v], seen.confidence[v], world[v], camera.size, 1 / RATE)
                views.append(Sequence(one, *imaged(places, camera, pair.stature)))
        yield views


def attached(truth: Truth, attachment: Attachment) -> np.ndarray:
    """(T, J, 3) m: where the landmarks' places on the body are."""
    names, stature = truth.body.names, float(truth.snippet["stature"])
    out = np.full((len(truth.snippet["joints"]), len(LAYOUT), 3), np.nan)
    for n, row in enumerate(attachment.rows):
        out[:, row] = truth.joint(names[attachment.joint[n]])
        for j in np.flatnonzero(np.abs(attachment.offsets[n]).sum(axis=1)):
            out[:, row] += truth.rotation(names[j]) @ attachment.offsets[n, j] * stature
    return out


def imaged(places: np.ndarray, camera: Camera, stature: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of places in the world: pixels (T, J, 2), NaN near the camera; pixels per stature (T,); the gain."""
    turn, shift = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    away = places @ turn.T + shift
    depth = away[..., 2:]
    goal = np.where(depth > NEAREST, camera.project(places), np.nan)
    typical = np.maximum(np.nanmedian(depth[..., 0], axis=1), NEAREST)
    near = np.maximum(depth, NEAREST)
    slope = turn[:2] - (away[..., :2] / near)[..., None] * turn[2]
    gain = np.nan_to_num(slope * (typical[:, None, None] / near)[..., None])
    return goal, camera.K[0, 0] / typical * stature, gain


def guises(groups: list[list[Sequence]], chance: np.random.Generator) -> list[list[Sample]]:
    """Return all sequences, by snippet and view, each in a guise of its own."""
    return [guised(group, chance) for group in groups]


def guised(group: list[Sequence], chance: np.random.Generator) -> list[Sample]:
    """Return the views of a snippet in a guise; they are mirrored and halved together."""
    mirror, half = chance.random() < 0.5, chance.random() < HALVED
    out = []
    for s in group:
        s = in_mirror(s) if mirror else s
        s = bent(s, some_map(chance))
        s = halved(s) if half else s
        s = exchanged(s, chance) if chance.random() < EXCHANGED else s
        out.append(jittered(s, chance).sample())
    return out


def in_mirror(s: Sequence) -> Sequence:
    """Return a sequence in a mirror."""
    goal = (s.goal * np.array([-1.0, 1.0]) + np.array([s.seen.size[0] - 1.0, 0.0]))[:, LAYOUT.mirror]
    gain = (s.gain * np.array([[-1.0], [1.0]]))[:, LAYOUT.mirror]
    return Sequence(s.seen.mirrored(LAYOUT.mirror), goal, s.stature_px, gain)


def some_map(chance: np.random.Generator) -> np.ndarray:
    """Return a map (2, 2) of the image: turned, and stretched and sheared, as people's proportions differ."""
    angle = chance.normal() * TURN
    c, sine = np.cos(angle), np.sin(angle)
    stretch = np.eye(2) + chance.normal(size=(2, 2)) * STRETCH
    return np.array([[c, -sine], [sine, c]]) @ stretch


def bent(s: Sequence, by: np.ndarray) -> Sequence:
    """Return a sequence whose image is mapped by (2, 2) about its middle."""
    middle = np.array(s.seen.size) / 2
    world = s.seen.world.copy()
    world[..., :2] = world[..., :2] @ by.T
    points, goal = ((at - middle) @ by.T + middle for at in (s.seen.points, s.goal))
    return Sequence(replace(s.seen, points=points, world=world), goal, s.stature_px, by @ s.gain)


def halved(s: Sequence) -> Sequence:
    """Return every second frame."""
    seen = s.seen
    points, sight, world = seen.points[::2], seen.confidence[::2], seen.world[::2]
    half = Stretch(points, sight, world, seen.size, 2 * seen.dt)
    return Sequence(half, s.goal[::2], s.stature_px[::2], s.gain[::2])


def exchanged(s: Sequence, chance: np.random.Generator) -> Sequence:
    """Exchange left and right of the legs, the arms or all for a while, in the goal as well.

    Meanwhile these landmarks are others than in the other views: no gain.
    """
    frames = len(s.goal)
    start, length = int(chance.integers(frames)), int(chance.integers(3, 40))
    limbs = [["legs"], ["arms", "head"], ["legs", "arms", "head"]][int(chance.integers(3))]
    rows = np.array([row for limb in limbs for row in LAYOUT.groups[limb]])
    where = np.ix_(np.arange(start, min(start + length, frames)), rows)
    other = np.ix_(where[0][:, 0], LAYOUT.mirror[rows])
    change = []
    for values in (s.seen.points, s.seen.confidence, s.seen.world, s.goal):
        new = values.copy()
        new[where] = values[other]
        change.append(new)
    points, sight, world, goal = change
    gain = s.gain.copy()
    gain[where] = 0.0
    return Sequence(replace(s.seen, points=points, confidence=sight, world=world), goal, s.stature_px, gain)


def jittered(s: Sequence, chance: np.random.Generator) -> Sequence:
    """Add noise to what was seen."""
    _, radius = s.seen.box()
    noise = chance.normal(size=s.seen.points.shape) * JITTER * radius[:, None, None]
    return replace(s, seen=replace(s.seen, points=s.seen.points + noise))
