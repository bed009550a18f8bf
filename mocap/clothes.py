"""Whether pieces of people whom a view sees wear the same colours.

Nothing is taken for a likeness but what tells somebody from the others who are there at the same time: of two
in one uniform, colours say nothing. Views are not compared with one another, since cameras and lights differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mocap.cluster import Pair
from mocap.keypoints import Keypoints2D
from mocap.track import Track

Floats = NDArray[np.float64]

FEWEST = 3  # frames that tell somebody's colours
LIGHTNESS = 0.5  # what a difference of lightness counts beside one of hue: people go through light and shade
MOST = 20.0  # of a part's colours (CIELAB) that counts as a difference at most: it may have been hidden
NOISE = 12.0  # by which colours of the same person differ
TELLS = (0.1, 0.4)  # by how much the likeness must be nearer, over the sum: to say something, and all
STRANGE = (6.0, 11.0)  # differences from which on somebody is ever less, and not at all, known again
SPAN = 4.0  # seconds between pieces that are compared
SPEAKS = 1.0  # what speaks for pieces that wear the same, at most
SPEAKS_LATER = 3.0  # and for all that was seen of somebody and all of another


def pieces_alike(
    tracks: Sequence[Track], views: Sequence[Keypoints2D], apart: Iterable[Pair]
) -> dict[Pair, float]:
    """How much colours speak for tracks of a view, `SPAN` seconds apart at most, being one person.

    Args:
        tracks: of all views.
        views: V detections.
        apart: pairs of tracks that are there at the same time, and so are two people.
    """
    middles = [float(views[track.view].times[track.frames].mean()) for track in tracks]
    order = sorted(range(len(tracks)), key=lambda k: (tracks[k].view, middles[k]))
    pairs = []
    for n, a in enumerate(order):
        for b in order[n + 1 :]:
            if tracks[a].view != tracks[b].view or middles[b] - middles[a] > SPAN:
                break
            pairs.append((min(a, b), max(a, b)))
    colours = [_of_tracks([track], views[track.view]) for track in tracks]
    return {pair: SPEAKS * value for pair, value in alike(colours, pairs, apart).items()}


def groups_alike(
    groups: Sequence[Sequence[int]],
    tracks: Sequence[Track],
    views: Sequence[Keypoints2D],
    apart: Iterable[Pair],
) -> dict[Pair, float]:
    """How much colours speak for groups of tracks being one person, however much later; summed over views.

    Args:
        groups: numbers of tracks.
        tracks: of all views.
        views: V detections.
        apart: pairs of tracks that are there at the same time, and so are two people.
    """
    group_of = {k: number for number, group in enumerate(groups) for k in group}
    beside = {(min(a, b), max(a, b)) for a, b in ((group_of[k], group_of[m]) for k, m in apart)}
    pairs = list(combinations(range(len(groups)), 2))
    out: dict[Pair, float] = {}
    for v, seen in enumerate(views):
        own = [[tracks[k] for k in group if tracks[k].view == v] for group in groups]
        for pair, value in alike([_of_tracks(some, seen) for some in own], pairs, beside).items():
            out[pair] = out.get(pair, 0.0) + SPEAKS_LATER * value
    return out


def _of_tracks(tracks: Sequence[Track], seen: Keypoints2D) -> Floats:
    """Median colours (B, 3) of tracks of a view; NaN where nobody looked.

    Whoever is hidden shows the colours of whom he is behind. So do those who stand before him, and each is
    the other's rival: then colours say nothing of either.
    """
    if seen.colours is None or not tracks:
        return np.full((1, 3), np.nan)
    return middle(np.concatenate([seen.colours[track.frames, track.lanes] for track in tracks]))


def middle(colours: Floats) -> Floats:
    """Median (B, 3) of colours (N, B, 3); NaN where fewer than `FEWEST` are known."""
    out = np.full(colours.shape[1:], np.nan)
    enough = np.isfinite(colours[..., 0]).sum(axis=0) >= FEWEST
    out[enough] = np.nanmedian(colours[:, enough], axis=0)
    return out


def alike(colours: Sequence[Floats], pairs: Iterable[Pair], apart: Iterable[Pair]) -> dict[Pair, float]:
    """How much colours speak for pairs of things of a view being one person: from -1, against, to 1.

    Args:
        colours: of each thing (B, 3), NaN = unknown.
        pairs: numbers of things to be compared, the smaller first.
        apart: pairs who are there at the same time, and so are two people.

    Returns:
        By pair, for those that say something.
    """
    known = [np.isfinite(own).any() for own in colours]
    compared = [(a, b) for a, b in pairs if known[a] and known[b]]
    if not compared:
        return {}
    first, second = (np.stack([colours[pair[n]] for pair in compared]) for n in (0, 1))
    differ = dict(zip(compared, difference(first, second).tolist(), strict=True))
    beside: dict[int, list[int]] = {}
    for a, b in apart:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    out = {}
    for (a, b), own in differ.items():
        others = [(r, b) for r in beside.get(a, ())] + [(a, r) for r in beside.get(b, ())]
        rivals = [differ[pair] for r, s in others if (pair := (min(r, s), max(r, s))) in differ]
        if rivals and b not in beside.get(a, ()):
            value = _speaks(own, min(rivals))
            if value:
                out[a, b] = value
    return out


def _speaks(own: float, rival: float) -> float:
    nearer = (rival - own) / (rival + own + NOISE)
    share = np.clip((abs(nearer) - TELLS[0]) / (TELLS[1] - TELLS[0]), 0.0, 1.0)
    if nearer > 0:
        share *= np.clip((STRANGE[1] - own) / (STRANGE[1] - STRANGE[0]), 0.0, 1.0)
    return float(share * np.sign(nearer))


def difference(first: Floats, second: Floats) -> Floats:
    """Mean difference (...) of colours (..., B, 3) of the parts known of both; `MOST` where none is."""
    apart = np.linalg.norm((first - second) * (LIGHTNESS, 1.0, 1.0), axis=-1)
    both = np.isfinite(apart)
    total = np.where(both, np.minimum(apart, MOST), 0.0).sum(axis=-1)
    return np.where(both.any(axis=-1), total / np.maximum(both.sum(axis=-1), 1), MOST)
