"""Fit how heights and speeds of a solved foot tell that it stands, from pairs of detector output and truth.

    python scripts/fit_contacts.py PAIRS_FOLDER > rigs/definitions/contact.yaml

For PAIRS_FOLDER see `pairs.py`. Every training snippet is solved as for a take, keypoints refined.
The soles of its first solve, in which no plants are known yet, give features (`rigs.contact.features`), which
are weighed by logistic regression against the true contacts. Soles and floors differ by a centimetre or so
from what is assumed of them, so every snippet is seen at several heights; and as nobody glides in them, once
also as if on a moving floor, where nothing stands. Figures on the held-out people are printed to stderr.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np
import yaml
from pairs import Pair, folder_argument, read_pairs
from scipy.optimize import minimize

from mocap.animate import animate
from mocap.feet import Feet, Stance, find_stance
from mocap.refiner import load_refiner
from rigs.contact import KINDS, features, find_contacts
from rigs.solving.body import Body
from rigs.solving.ground import soles
from rigs.solving.kinematics import Chain, Pose, locate

TRUE = (1, 3, 0, 2)  # where the truth (left heel, left toe, right heel, right toe) has our points
HEIGHTS = (-0.01, 0.0, 0.01)  # metres by which a snippet is lifted
GLIDES = (0.15, 0.6)  # m/s, least and most speed of the moving floor
RIDGE = 3.0  # squared standardised weights that cost one nat
HEADER = """\
# How heights and speeds of a solved foot tell that it stands; written by scripts/fit_contacts.py.
# Log odds = first number + the rest times `rigs.contact.features`; still_*: from speeds alone.
"""


@dataclass(frozen=True)
class Example:
    """A solved snippet: soles (T, 4, 3) m, their heights standing (4,) m, whether they truly stand (T, 4)."""

    positions: np.ndarray
    standing: np.ndarray
    down: np.ndarray

    @property
    def heights(self) -> np.ndarray:
        """Heights (T, 4) m above where each point would be if it stood."""
        return self.positions[..., 1] - self.standing


def main() -> int:
    """Fit and print the YAML."""
    folder = folder_argument(__doc__).parse_args().pairs
    refiner = load_refiner("blazepose")
    table = fit([solved(pair) for pair in read_pairs(folder, "train", refiner)])
    print(HEADER + yaml.safe_dump(table, sort_keys=False, width=110, default_flow_style=None), end="")
    report([solved(pair) for pair in read_pairs(folder, "val", refiner)])
    return 0


def solved(pair: Pair) -> Example:
    """Solve a snippet, and take the soles where feet are about to be judged: after the first solve."""
    down = pair.snippet["contact"][:, TRUE].astype(bool)
    met: list[Example] = []

    def look(
        body: Body, stature: float, sizes: np.ndarray, pose: Pose, fps: float, feet: Feet, doubt: np.ndarray
    ) -> Stance:
        points, standing = soles(body, stature)
        positions = locate(Chain(body).place(pose, sizes), points)
        met.append(Example(positions, standing, down))
        return find_stance(body, stature, sizes, pose, fps, feet, doubt)

    with patch("mocap.animate.find_stance", look):
        animate(pair.seen, pair.cameras, pair.triangulated(), pair.stature)
    return met[0]


def fit(examples: list[Example]) -> dict[str, Any]:
    """Fit the weights of each kind of point, with heights and by speeds alone."""
    examples = [copy for e in examples for copy in (*(lifted(e, h) for h in HEIGHTS), gliding(e))]
    weights = {}
    for kind in dict.fromkeys(KINDS):
        rows = [p for p, k in enumerate(KINDS) if k == kind]
        down = np.concatenate([e.down[:, p] for e in examples for p in rows])
        for name, high in ((kind, True), (f"still_{kind}", False)):
            x = np.concatenate(
                [features(e.positions, e.heights if high else None, 30.0, p) for e in examples for p in rows]
            )
            weights[name] = [float(f"{w:.5g}") for w in logistic(x, down)]
    return {"weights": weights}


def lifted(example: Example, height: float) -> Example:
    """The snippet, `height` metres higher."""
    return replace(example, positions=example.positions + np.array([0.0, height, 0.0]))


def gliding(example: Example) -> Example:
    """The snippet on a floor that moves; which way and how fast follows from its length."""
    rng = np.random.default_rng(len(example.down))
    way, speed = rng.uniform(0, 2 * np.pi), rng.uniform(*GLIDES)
    path = np.outer(np.arange(len(example.down)) / 30.0, speed * np.array([np.cos(way), 0.0, np.sin(way)]))
    return replace(example, positions=example.positions + path[:, None], down=np.zeros_like(example.down))


def logistic(values: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Ridge logistic regression of down (K,) on values (K, F): offset and weights (1 + F,)."""
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    rows = np.concatenate([np.ones((len(values), 1)), (values - mean) / spread], axis=1)
    sign = np.where(down, 1.0, -1.0)
    penalty = np.full(rows.shape[1], RIDGE * len(HEIGHTS))
    penalty[0] = 0.0

    def cost(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (rows @ w)
        pull = -(sign / (1 + np.exp(np.minimum(margin, 500.0)))) @ rows
        return np.logaddexp(0, -margin).sum() + 0.5 * (penalty * w**2).sum(), pull + penalty * w

    w = minimize(cost, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    slope = w[1:] / spread
    return np.concatenate([[w[0] - slope @ mean], slope])


def report(examples: list[Example]) -> None:
    """Print precision, recall and F1 within one frame on held-out people."""
    found = [find_contacts(e.positions, e.standing, 30.0).down for e in examples]
    for name, rows in (("ball", [0, 1]), ("heel", [2, 3]), ("all", [0, 1, 2, 3])):
        pairs = [(f[:, rows], e.down[:, rows]) for f, e in zip(found, examples, strict=True)]
        print(name, "precision {:.3f} recall {:.3f} F1 {:.3f}".format(*scores(pairs)), file=sys.stderr)


def scores(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of (found, true) contacts (T, N), each frame right within one frame."""
    right = sum(int((found & widened(true)).sum()) for found, true in pairs)
    met = sum(int((true & widened(found)).sum()) for found, true in pairs)
    precision = right / max(sum(int(found.sum()) for found, _ in pairs), 1)
    recall = met / max(sum(int(true.sum()) for _, true in pairs), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def widened(flags: np.ndarray) -> np.ndarray:
    """Flags (T, N) with a frame added at both ends of every run."""
    out = flags.copy()
    out[1:] |= flags[:-1]
    out[:-1] |= flags[1:]
    return out


if __name__ == "__main__":
    raise SystemExit(main())
