"""How large a person's bones are: solved together with the motion where the person is seen best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mocap.scene import Scene
from rigs.solving.kinematics import Chain
from rigs.solving.solve import SizePrior, Solution, posterior
from rigs.solving.terms import Term

Floats = NDArray[np.float64]
Span = tuple[int, int]
Stretch = Callable[[Span, Floats, SizePrior], tuple[Solution, Sequence[Term]]]

SIZING_FRAMES = 300  # most frames in which the sizes are solved with the motion
STRETCHES = 3  # over which they are spread in a longer clip
NEW_IN_STRETCH = 0.3  # of a stretch's information on sizes: a detector's errors come again


def solve_sizes(
    chain: Chain, spans: Sequence[Span], stretch: Stretch, sizes: Floats, prior: SizePrior
) -> Solution:
    """Solve motion and sizes together, stretch by stretch; the pose is that of the last one.

    Args:
        chain: the body's kinematics.
        spans: frames [start, stop) of the stretches, see `sizing_spans`.
        stretch: solves one from sizes (G,) and what is believed of them; answers with the solution and the
            terms.
        sizes: (G,) m of stature to begin with.
        prior: what is believed of them.
    """
    solved, terms = stretch(spans[0], sizes, prior)
    for _, span in pairwise(spans):
        prior = posterior(chain, solved, terms, prior, NEW_IN_STRETCH)
        solved, terms = stretch(span, solved.sizes, prior)
    return solved


def sizing_spans(scene: Scene, frames: int) -> list[Span]:
    """Return the whole of a short clip; of a long one the stretch of each third in which most is seen."""
    if frames <= SIZING_FRAMES:
        return [(0, frames)]
    sight = np.concatenate([[0.0], np.cumsum((1 / scene.sd**2).sum(axis=(0, 2)))])
    edges = np.linspace(0, frames, STRETCHES + 1).astype(int)
    spans = []
    for low, high in pairwise(edges):
        count = min(SIZING_FRAMES // STRETCHES, high - low)
        best = low + int(np.argmax(sight[low + count : high + 1] - sight[low : high + 1 - count]))
        spans.append((best, best + count))
    return spans
