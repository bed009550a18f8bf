"""Fit how a person's stature follows from distances between triangulated landmarks.

    python scripts/fit_stature.py PAIRS_FOLDER > mocap/landmarks/stature.yaml

For PAIRS_FOLDER see `pairs.py`. What people left out of the fit get is printed to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import numpy as np
import yaml
from pairs import Pair, folder_argument, read_pairs

from mocap.stature import _length

LENGTHS = {
    "knee to ankle": ("knee", "ankle"),
    "hip to knee": ("hip", "knee"),
    "middle shoulder to middle hip": ("middle shoulder", "middle hip"),
    "middle ear to middle shoulder": ("middle ear", "middle shoulder"),
}
RIDGE = 3e-4  # pulls all lengths towards the same say; about the variance of a length's ratio to stature
HEADER = """\
# Stature from the median distances between landmarks in space, as detected: the sum of these, metres per
# metre. Written by scripts/fit_stature.py. Left and right are averaged; "middle" is between a landmark's left
# and right. Left-out people: standard deviation 1.8 %.
"""


def main() -> int:
    """Fit, and print the YAML."""
    asked = folder_argument(__doc__).parse_args()
    table = {"metres_per_metre": fitted(read_pairs(asked.pairs, None))}
    print(HEADER + yaml.safe_dump(table, sort_keys=False), end="")
    return 0


def fitted(pairs: Iterable[Pair]) -> dict[str, float]:
    """Weight of each length; what people left out of the fit get is told on stderr."""
    sound = [pair for pair in pairs if pair.bad_view() is None]
    people = np.array([pair.snippet["meta"]["person"] for pair in sound])
    ratio = np.array([lengths(pair) for pair in sound]) / np.array([[pair.stature] for pair in sound])
    known = np.isfinite(ratio).all(axis=1)
    ratio, who = ratio[known], people[known]
    off = np.concatenate([ratio[who == w] @ weights(ratio[who != w]) - 1 for w in np.unique(who)])
    print(f"left-out people: rms {100 * np.sqrt(np.mean(off**2)):.2f} %", file=sys.stderr)
    return {name: round(float(w), 3) for name, w in zip(LENGTHS, weights(ratio), strict=True)}


def weights(ratio: np.ndarray) -> np.ndarray:
    """Weights of the lengths (N, K) over stature, so that their sum is 1 with the least scatter."""
    typical = ratio.mean(axis=0)
    off = ratio / typical - 1
    share = np.linalg.solve(off.T @ off / len(off) + RIDGE * np.eye(off.shape[1]), np.ones(off.shape[1]))
    return np.asarray(share / share.sum() / typical)


def lengths(pair: Pair) -> list[float]:
    """Median lengths of one snippet, triangulated with its true cameras."""
    landmarks = pair.triangulated()
    return [_length(landmarks, pair.seen.layout, *ends) for ends in LENGTHS.values()]


if __name__ == "__main__":
    raise SystemExit(main())
