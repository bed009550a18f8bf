"""How feet are turned, foretold from how the whole leg moves.

A detector draws half of a foot by habit: lifted feet flat, turned-out feet straight, and in views that look
along a foot, nearly anywhere. How it errs goes with how the body moves, so a small network tells from a
solved motion how each foot is truly turned, and how far that may be off. Everything it sees is in the axes of
the shin and in units of stature, the right leg in a mirror, so one network serves both feet, and the number
of views does not matter. `scripts/fit_ankles.py` trained it; `docs/how-it-works.md` tells what it buys.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mocap.attach import Attachment
from mocap.weights import gelu, read_weights
from rigs import quat
from rigs.solving.body import MIRROR, Ints
from rigs.solving.kinematics import Pose, Posed, locate
from rigs.solving.terms import Turned

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Array = TypeVar("Array", Singles, Floats)

SIDES = (("Left", "Right"), ("Right", "Left"))
LANDMARKS = ("ankle", "heel", "foot_index")
RATE = 30.0  # frames a second of what the network was trained on
AROUND = (-15, -9, -3, 0, 3, 9, 15)  # frames at that rate which it sees at once
MISSED, HEIGHT, APART = 10.0, 5.0, 2.0  # per stature: units of what goes in
FARTHEST, HIGHEST = 1.0, 3.0  # bounds of the first two, in those units
ASTRAY = 0.06  # of stature: feet whose landmarks are missed by this are half believed; 95 % are by 0.035
TURN, SPREAD = 0.3, 0.22  # rad: units of the turns that come out, and of their spread
STRANGE = 4.0  # deviations: what is stranger goes in as if it were no stranger than that
MOST = 1.5  # rad: bound of the turns about each axis; poses unlike all of the training say anything
LEAST, WIDEST = 0.03, 1.0  # rad: bounds of the spread
BACK = np.stack([np.ones(3), -MIRROR])  # what a mirror does to turns: that about x stays, the others change
DOUBT = 0.5  # times the spread in the solve, which hears what the detector drew of the foot once more


@dataclass(frozen=True, eq=False)
class Ankles:
    """How feet are turned in the shins: joints (2,), left and right, rotations (T, 2, 4), spread (T, 2, 3).

    The spread, rad, is about the foot's own axes, one standard deviation.
    """

    joints: Ints
    rotations: Floats
    spread: Floats

    def applied(self, pose: Pose) -> Pose:
        """Return the pose with its feet turned so."""
        rotations = pose.rotations.copy()
        rotations[:, self.joints] = self.rotations
        return Pose(pose.root, rotations)

    def term(self, start: int, stop: int, frame_weight: float) -> Turned:
        """Return what keeps frames [start, stop) near it."""
        span = slice(start, stop)
        return Turned(self.joints, self.rotations[span], self.spread[span] * DOUBT, frame_weight)


@dataclass(frozen=True, eq=False)
class Network:
    """A perceptron: layers of weights (inputs, outputs) and biases; mean and deviation of what goes in."""

    mean: Singles
    deviation: Singles
    weights: tuple[Singles, Singles, Singles]
    biases: tuple[Singles, Singles, Singles]

    def __call__(self, features: Singles) -> Singles:
        """Return (..., 6) for features (..., F): turns, then logarithms of their spread."""
        known = np.clip((features - self.mean) / self.deviation, -STRANGE, STRANGE)
        hidden = gelu(known @ self.weights[0] + self.biases[0])
        hidden = hidden + gelu(hidden @ self.weights[1] + self.biases[1])
        return np.asarray(hidden @ self.weights[2] + self.biases[2])


def foretell_ankles(posed: Posed, stature: float, missed: Floats, fps: float, network: Network) -> Ankles:
    """Say how the feet of a solved person are truly turned.

    Args:
        posed: T frames.
        stature: metres.
        missed: of `missed_landmarks`.
        fps: frames a second.
        network: of `load_network`.
    """
    ahead = max(1, round(fps / RATE))
    turns, spread = bounded(network(in_time(features(posed, stature, missed), ahead)).astype(float))
    trust = _trust(missed / stature, ahead)
    feet = np.array([posed.chain.body.index(f"{side}Foot") for side, _ in SIDES])
    turn = quat.from_rotvec(turns * BACK * trust)
    rotations = np.asarray(quat.multiply(posed.pose.rotations[:, feet], turn))
    return Ankles(feet, rotations, spread / trust)


def bounded(out: Floats) -> tuple[Floats, Floats]:
    """Return turns (..., 3) and their spread (..., 3), rad, of what the network says (..., 6)."""
    spread = np.exp(np.clip(out[..., 3:] + np.log(SPREAD), np.log(LEAST), np.log(WIDEST)))
    return np.clip(TURN * out[..., :3], -MOST, MOST), np.asarray(spread)


def missed_landmarks(posed: Posed, stature: float, attachment: Attachment, landmarks: Floats) -> Floats:
    """Return how far landmarks of the feet are from where a solved body has them: (T, 2, 3, 3) m.

    Args:
        posed: T frames.
        stature: metres.
        attachment: of the landmarks.
        landmarks: (T, N, 3) m, those of the attachment, triangulated; one that is unknown is not missed.
    """
    off = landmarks - locate(posed, attachment.points(stature))
    return np.nan_to_num(off[:, foot_rows(attachment)])


def turned_landmarks(before: Posed, after: Posed, stature: float, attachment: Attachment) -> Floats:
    """Return where the landmarks of `before` go as the feet turn to `after`: (T, N, 3) m.

    Each foot as a whole stays as high as it was seen. About the ankle it would rise by 0.3 % of stature, as
    solved feet that stand point down by 4 degrees too much; balls are at their height on average, ankles are
    too high.
    """
    here, there = (locate(posed, attachment.points(stature)) for posed in (before, after))
    rows = foot_rows(attachment)
    there[:, rows, 1] -= (there - here)[:, rows, 1].mean(axis=2, keepdims=True)
    return there


def foot_rows(attachment: Attachment) -> Ints:
    """Return which landmarks of an attachment are ankle, heel and toe of the left and right foot: (2, 3)."""
    names = [f"{side.lower()}_{name}" for side, _ in SIDES for name in LANDMARKS]
    return np.array([attachment.names.index(name) for name in names]).reshape(2, 3)


def features(posed: Posed, stature: float, missed: Floats) -> Singles:
    """Return what the network sees of each frame and foot, (T, 2, F); arguments as of `foretell_ankles`."""
    both = [
        _of_side(posed, stature, missed[:, k], *sides, MIRROR if k else np.ones(3))
        for k, sides in enumerate(SIDES)
    ]
    return np.stack(both, axis=1).astype(np.float32)


def in_time(features: Array, ahead: int) -> Array:
    """Each frame (T, ..., F) beside those `AROUND` it, `ahead` frames of the clip for each; ends repeated."""
    frames = np.arange(len(features))
    rows = [np.clip(frames + ahead * step, 0, len(frames) - 1) for step in AROUND]
    return np.concatenate([features[r] for r in rows], axis=-1)


@lru_cache
def load_network(layout: str) -> Network | None:
    """Return the network for a layout of landmarks; None where none was trained.

    Raises:
        MocapError: the file of the package is damaged.
    """
    one = read_weights(f"{layout}_ankles")
    if one is None:
        return None
    layers = [(one[f"weight{k}"], one[f"bias{k}"]) for k in range(3)]
    (a, p), (b, q), (c, r) = layers
    return Network(one["mean"], one["deviation"], (a, b, c), (p, q, r))


def _trust(missed: Floats, ahead: int) -> Floats:
    """How far a foot's solve resembles those of the training (T, 2, 1): less, the more landmarks are missed.

    Where views contradict one another or hardly see a foot, its solve may be anywhere; missed (T, 2, 3, 3).
    """
    square = in_time((missed**2).sum(axis=-1), ahead).mean(axis=-1, keepdims=True)
    return np.asarray(1 / (1 + square / ASTRAY**2))


def _of_side(posed: Posed, stature: float, missed: Floats, side: str, other: str, flip: Floats) -> Floats:
    """Features (T, F) of one foot: vectors in the shin's axes, then heights above the floor."""
    index = posed.chain.body.index

    def place(name: str) -> Floats:
        return posed.positions[:, index(name)]

    def axes(name: str, axis: int) -> Floats:
        return posed.rotations[:, index(name), :, axis]

    ankle, shin = place(f"{side}Foot"), posed.rotations[:, index(f"{side}Leg")]
    vectors = [
        axes(f"{side}Foot", 1),
        axes(f"{side}Foot", 2),
        np.broadcast_to([0.0, 1.0, 0.0], ankle.shape),
        axes("Hips", 1),
        axes("Hips", 2),
        axes(f"{side}UpLeg", 1),
        axes(f"{other}Leg", 1),
        axes(f"{other}Foot", 2),
        (ankle - place("Hips")) / stature,
        APART * (place(f"{other}Foot") - ankle) / stature,
        *np.moveaxis(np.clip(MISSED * missed / stature, -FARTHEST, FARTHEST), 1, 0),
    ]
    turned = np.einsum("tji,ntj->tni", shin, np.stack(vectors)) * flip
    names = (f"{side}Foot", f"{side}ToeBase", f"{other}Foot", f"{other}ToeBase", "Hips")
    heights = np.stack([place(name)[:, 1] for name in names], axis=1)
    return np.concatenate(
        [turned.reshape(len(turned), -1), np.clip(HEIGHT * heights / stature, -1.0, HIGHEST)], axis=1
    )
