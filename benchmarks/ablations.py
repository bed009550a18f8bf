"""What each part of the way from keypoints to motion buys: all of it, then with one part left out at a time.

    python benchmarks/ablations.py PAIRS_FOLDER [--every 1] [--clip clip.take truth.npz]... [--real real.take]

Figures as in `feet.py`: error of the 12 limb joints (mm), direction of feet (degrees), skate (mm/s) and drift
(mm) of standing balls, F1 of contacts, acceleration and jerk over the truth's: the mean over held-out
snippets, and of each clip. With --real also how far each camera of a take sees the person from where the
others, solved, foretell: median and mean, pixels, against raw detections, as in `leave_one_out.py`. Whether
hands are seen or relaxed is compared by `hands.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np

from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.animate import Animated, animate
from mocap.attach import Attachment, load_attachment
from mocap.detect import DEFAULT
from mocap.feet import Feet
from mocap.keypoints import Layout
from mocap.observations import Observations
from mocap.refiner import load_refiner
from mocap.refining import refine_cameras
from mocap.scene import Settings
from mocap.swaps import exchange, repair_swaps
from mocap.take import Take
from rigs.solving.body import Body, load_body

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from feet import Clip, figures, of_pair, of_take
from fit_contacts import scores
from leave_one_out import closer_looks, from_take, solved_without
from pairs import loader, read_pairs

SHOWN = ("error", "dir_foot", "skate", "drift", "F1", "accel", "jerk")
SIDES, JOINTS = ("left", "right"), ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
SAME = 1e-3  # spread of sizes that is none
Seen = Callable[[Observations], Observations]
RAW: Seen = Observations.as_detected


def as_they_are(seen: Observations) -> Observations:
    """Leave observations as they are."""
    return seen


def evenly(seen: Observations) -> Observations:
    """Trust all landmarks that were seen alike, as far as confidence goes."""
    return replace(seen, confidence=np.where(seen.confidence > 0, 0.97, 0.0))


@dataclass(frozen=True)
class Part:
    """A part that is left out: what becomes of observations, of things by their full names, of settings."""

    seen: Seen = as_they_are
    changed: tuple[tuple[str, Any], ...] = ()
    settings: Settings | None = None
    feet: Feet = "auto"
    repaired: bool = True  # whether exchanged sides are put right
    closer: bool = True  # whether people are looked at closer, where they were


@dataclass(frozen=True)
class Case:
    """A clip whose keypoints are refined, sides as detected; what was detected, and refined at first."""

    clip: Clip
    raw: Observations
    first: Observations | None = None  # None where nobody was looked at closer


def without(term: str) -> tuple[tuple[str, Any], ...]:
    """A term of the solve that costs nothing."""
    return (
        (f"{term}.cost", lambda self, posed: 0.0),
        (f"{term}.add", lambda self, posed, normal: None),
    )


def proportioned() -> Body:
    """A body whose bones all have their share of the stature."""
    body = load_body()
    return replace(body, size_spread=np.full_like(body.size_spread, SAME))


def centred(layout: Layout, body: Body) -> Attachment:
    """Landmarks that are taken for the joints that they are named after."""
    known = load_attachment(layout, body)
    named = np.isin(known.rows, [layout.index(f"{side}_{name}") for side in SIDES for name in JOINTS])
    return replace(known, offsets=np.where(named[:, None, None], 0.0, known.offsets))


PARTS: dict[str, Part] = {
    "all of it": Part(),
    "keypoints as detected": Part(seen=RAW),
    "no spread for each landmark": Part(seen=lambda seen: replace(seen, spread=None)),
    "nor confidence": Part(seen=lambda seen: evenly(replace(seen, spread=None))),
    "not which way each is off": Part(seen=lambda seen: replace(seen, slant=None)),
    "looked at once": Part(closer=False),
    "sides as detected": Part(repaired=False),
    "landmarks taken for joints": Part(changed=(("mocap.animate.load_attachment", centred),)),
    "no robust loss": Part(settings=Settings(robust=1e3)),
    "no lenient first solve": Part(changed=(("mocap.animate.ROUGH", 1.0),)),
    "bones as the stature says": Part(changed=(("mocap.animate.load_body", proportioned),)),
    "half as lively": Part(settings=Settings(liveliness=5.0, planted_liveliness=14.0)),
    "twice as lively": Part(settings=Settings(liveliness=20.0, planted_liveliness=56.0)),
    "no limits": Part(changed=without("rigs.solving.limits.Limits")),
    "nothing at rest, no shared bend": Part(changed=without("rigs.solving.limits.Rest")),
    "no pull on what is unseen": Part(changed=without("rigs.solving.relaxed.Relaxed")),
    "what keeps still may sway": Part(changed=(("mocap.still.SD", 1e3),)),
    "all joints as lively": Part(changed=(("mocap.animate.liveliness", lambda scene, *_: None),)),
    "feet believed alike": Part(changed=(("mocap.feet.LEAST_TRUST", 1.0), ("mocap.feet.MOST_TRUST", 1.0))),
    "nothing for feet": Part(feet="never"),
    "feet not held": Part(changed=(("mocap.feet.HOLD_SD", 1e6),)),
    "heels held while they roll": Part(changed=(("mocap.feet.ROLLING", np.inf),)),
    "feet at no height": Part(changed=(("mocap.feet.HEIGHT_SD", 1e6),)),
}


def main() -> None:
    """Print a table for the pairs, one for each clip and one for the real take."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--clip", type=Path, nargs=2, action="append", default=[])
    parser.add_argument("--real", type=Path)
    given = parser.parse_args()
    table("held-out", held_out(given.pairs, given.every))
    for take, truth in given.clip:
        clip = of_take(take, truth)
        closer = closer_looks(Take.open(take), clip.seen, clip.cameras) or clip.seen
        table(take.stem, [Case(replace(clip, seen=closer), clip.seen.as_detected(), clip.seen)])
    if given.real:
        real(given.real)


def held_out(folder: Path, every: int) -> list[Case]:
    """Snippets of people whom no fit has seen."""
    names = loader(folder).JOINTS
    both = (read_pairs(folder, "val", network, repaired=False) for network in (load_refiner(DEFAULT), None))
    cases = [Case(of_pair(refined, names), raw.seen) for refined, raw in zip(*both, strict=True)]
    return cases[::every]


def table(name: str, cases: Sequence[Case]) -> None:
    """Print the mean of each figure over clips with truth."""
    click.echo(f"\n{name:34s}" + "".join(f"{column:>9s}" for column in SHOWN))
    for title, part in PARTS.items():
        found = [solved(case, part) for case in cases]
        rows = [figures(case.clip, one) for case, one in zip(cases, found, strict=True)]
        pairs = [(f.contacts.down, c.clip.contact) for f, c in zip(found, cases, strict=True) if f.contacts]
        mean = {key: float(np.nanmean([row[key] for row in rows])) for key in SHOWN if key != "F1"}
        mean["F1"] = scores(pairs)[2] if pairs else np.nan
        click.echo(f"{title:34s}" + "".join(f"{mean[column]:9.2f}" for column in SHOWN))


def solved(case: Case, part: Part) -> Animated:
    """Solve a clip without a part."""
    clip = case.clip
    refined = clip.seen if part.closer or case.first is None else case.first
    seen = case.raw if part.seen is RAW else part.seen(refined)
    if part.repaired:
        seen, _ = repair_swaps(seen, clip.cameras)
    scale = max(0.02 * float(np.nanmedian(seen.heights())), 2.0)
    landmarks, _ = triangulate(clip.cameras, seen.pixels, seen.confidence**2, scale_px=scale)
    with left_out(part):
        return animate(seen, clip.cameras, landmarks, clip.stature, part.settings, feet=part.feet)


@contextmanager
def left_out(part: Part) -> Iterator[None]:
    """Change what a part changes for a while."""
    with ExitStack() as stack:
        for name, value in part.changed:
            stack.enter_context(patch(name, value))
        yield


def real(folder: Path) -> None:
    """Print how far each camera sees the person from where the others foretell, solved without each part."""
    seen, given = from_take(folder)
    refined, _, swaps = refine_cameras(seen.refined, given)
    raw = exchange(seen.detected, swaps)
    click.echo(f"\n{folder.stem:34s}{'median':>9s}{'mean':>9s}")
    show_real("cameras as given", Part(), seen.refined, given, raw)
    for title, part in PARTS.items():
        before = seen.detected if part.seen is RAW else part.seen(seen.refined)
        show_real(title, part, before, refined.cameras, raw)


def show_real(title: str, part: Part, seen: Observations, cameras: Cameras, raw: Observations) -> None:
    """Print one row of the real take."""
    ours = repair_swaps(seen, cameras)[0] if part.repaired else seen
    solve = partial(animate, settings=part.settings, feet=part.feet)
    with left_out(part), patch("leave_one_out.animate", solve):
        found = solved_without(ours, cameras, raw)
    click.echo(f"{title:34s}{found.median:9.2f}{found.mean:9.2f}")


if __name__ == "__main__":
    main()
