"""People as the views saw them into motions, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.camera import Cameras
from calibration.surroundings.edges import Edges
from calibration.triangulate import triangulate
from mocap.animate import Animated, animate
from mocap.attach import load_attachment
from mocap.cameras import axis_in_file
from mocap.camerawork import Camerawork, boxes_of, steadied, watch
from mocap.config import CalibrationFile, CaptureConfig
from mocap.crowd import between
from mocap.errors import MocapError
from mocap.feet import Feet
from mocap.filming import Film
from mocap.gates import (
    Agreement,
    LyingError,
    RefusedError,
    agreement,
    require_agreement,
    require_trunk,
    require_upright,
    weak_geometry,
)
from mocap.glimpse import with_doubt_at_edges, with_single_sights, without_squeezed
from mocap.hiding import without_hidden
from mocap.lens import camera_with_field_of_view
from mocap.observations import Observations
from mocap.placing import Placed
from mocap.progress import Progress
from mocap.swaps import Swaps, repair_swaps
from mocap.video import VideoInfo
from rigs.solving.body import load_body

Follow = Callable[[str], Progress]
TRAVELS = 0.75  # share of what is around that a turn explains: a dance 0.97, around a walker 0.65
ROBUST_PX = 0.02  # of the person's height: the scale at which a view begins to lose its say


@dataclass(frozen=True)
class Solved:
    """A person's motion with what it was made from.

    animated, seen, landmarks and swaps are of the frames from number `first` of the clock on. turns:
    (T, 3, 3) the still camera of `cameras` from the one that filmed, if that turned. person: number among
    those who were placed.
    """

    animated: Animated
    cameras: Cameras
    seen: Observations
    landmarks: np.ndarray | None
    swaps: Swaps
    agreed: Agreement | None
    notes: list[str]
    first: int = 0
    turns: np.ndarray | None = None
    person: int = 0

    @property
    def steady(self) -> Observations:
        """What a still camera would have seen, where the lone one turns."""
        return self.seen if self.turns is None else steadied(self.seen, self.cameras[0], self.turns)


def solve_people(
    placed: Placed,
    config: CaptureConfig,
    videos: list[VideoInfo],
    progress: Follow,
    feet: Feet = "auto",
    film: Callable[[], Film] | None = None,
) -> tuple[list[Solved], list[str]]:
    """Solve everybody whom the views saw.

    Args:
        placed: people on one clock, and the cameras.
        config: the subject's height counts where there is one person; the calibration's file for what to do.
        videos: of the views.
        progress: given "solving" for each person, answers who follows it.
        feet: see `mocap.animate.animate`.
        film: of the lone view that nobody calibrated, see `mocap.filming`.

    Returns:
        Those who could be solved, in order, and a line for everybody else.

    Raises:
        MocapError: nobody could; what is said of the first one.
    """
    solved: list[Solved] = []
    failed: list[MocapError] = []
    cameras, work, moving = placed.cameras, None, list[str]()
    if film is not None:
        work, moving = _watched(placed, config, videos[0].size, film())
    turns = None if work is None or not work.moves else work.at(_times(placed))
    edges = None if work is None else work.edges
    people = without_hidden(placed.people, cameras) if cameras and len(cameras) > 1 else placed.people
    for person, (seen, (start, stop)) in enumerate(zip(people, placed.spans, strict=True)):
        try:
            now = between(seen, start, stop)
            part = None if turns is None else turns[start:stop]
            one = _solve(now, placed, cameras, config, videos, progress("solving"), feet, part, edges)
        except MocapError as error:
            failed.append(error)
            continue
        solved.append(replace(one, first=start, person=person))
        cameras = one.cameras
    if not solved:
        raise failed[0]
    return solved, moving + [f"somebody is left out: {error}" for error in failed]


def mended(
    seen: Observations, cameras: Cameras | None, videos: Sequence[VideoInfo]
) -> tuple[Observations, Swaps]:
    """What is solved from: exchanged sides put back, and what the images' edges cut left out or doubted.

    Args:
        seen: what the views saw of a person.
        cameras: theirs; None for a lone view.
        videos: theirs.
    """
    images = [video.size for video in videos]
    repaired, swaps = repair_swaps(seen, cameras)
    return with_doubt_at_edges(without_squeezed(repaired, images), images), swaps


def _solve(
    seen: Observations,
    placed: Placed,
    cameras: Cameras | None,
    config: CaptureConfig,
    videos: list[VideoInfo],
    progress: Progress,
    feet: Feet,
    turns: np.ndarray | None,
    edges: Edges | None,
) -> Solved:
    repaired, swaps = mended(seen, placed.cameras, videos)
    height = config.subject.height if len(placed.people) == 1 else None
    if len(repaired.names) == 1:
        return _solve_single(
            placed, cameras, repaired, swaps, height, config, videos[0], progress, feet, turns, edges
        )
    assert cameras is not None
    landmarks, _ = triangulate(
        cameras, repaired.pixels, repaired.confidence**2, scale_px=_robust_px(repaired)
    )
    agreed = agreement(repaired, cameras, landmarks)
    notes = require_agreement(repaired, agreed)
    sizes = {view.name: video.size for view, video in zip(config.views, videos, strict=True)}
    _require_body(repaired, cameras, landmarks, config.calibration, sizes)
    notes += weak_geometry(repaired, cameras, landmarks)
    start = with_single_sights(repaired, cameras, landmarks, height)
    animated = animate(repaired, cameras, start, height, progress=progress, feet=feet)
    return Solved(animated, cameras, repaired, landmarks, swaps, agreed, notes)


def _require_body(
    seen: Observations,
    cameras: Cameras,
    landmarks: np.ndarray,
    calibration: CalibrationFile | None,
    sizes: dict[str, tuple[int, int]],
) -> None:
    start = load_attachment(seen.layout, load_body()).start
    hips, ankles, shoulders = ([start[s + n] for s in ("Left", "Right")] for n in ("UpLeg", "Foot", "Arm"))
    require_trunk(landmarks, [*hips, *shoulders])
    try:
        require_upright(cameras, landmarks, seen.layout.index("nose"), hips, ankles)
    except LyingError as error:
        if calibration is None:
            raise
        up = axis_in_file(calibration, sizes, error.axis, error.sign)
        raise RefusedError(
            f"{error}; in the views file write `calibration: {{file: {calibration.file.name}, up: {up}}}`"
        ) from error


def _solve_single(
    placed: Placed,
    cameras: Cameras | None,
    seen: Observations,
    swaps: Swaps,
    height: float | None,
    config: CaptureConfig,
    video: VideoInfo,
    progress: Progress,
    feet: Feet,
    turns: np.ndarray | None,
    edges: Edges | None,
) -> Solved:
    """One camera; where it stands is known from a calibration, or from the first person that it saw."""
    from mocap.monocular import animate_single

    animated, camera, notes = animate_single(
        seen,
        video.size,
        height,
        cameras[0] if cameras else placed.lens,
        posed=cameras is not None,
        sized=placed.cameras is not None,
        fov=config.views[0].fov,
        progress=progress,
        feet=feet,
        turns=turns,
        edges=edges,
    )
    return Solved(animated, Cameras((camera,)), seen, None, swaps, None, notes, turns=turns)


def _watched(
    placed: Placed, config: CaptureConfig, size: tuple[int, int], film: Film
) -> tuple[Camerawork, list[str]]:
    """What the lone camera does, and what is to be said of that.

    Raises:
        RefusedError: it travels.
    """
    name = config.views[0].name
    lens = placed.lens or camera_with_field_of_view(name, size, config.views[0].fov)
    work = watch(film, lens, boxes_of(placed.people), _times(placed))
    if not work.moves:
        return work, []
    degrees, share = np.rad2deg(work.range), 100 * work.agreement
    if work.agreement < TRAVELS:
        raise RefusedError(
            f"view {name}: the camera is carried about: it turns by {degrees:.0f} degrees, and only"
            f" {share:.0f} % of what is around the people moves as before a camera that turns in place;"
            " film from one place"
        )
    return work, [
        f"view {name}: the camera turns by {degrees:.0f} degrees; that was taken out, by what stands still"
        f" around the people ({share:.0f} % of it agrees), so the camera of the take is a still one"
    ]


def _times(placed: Placed) -> np.ndarray:
    """Seconds (T,) in the lone video of the clock's frames."""
    return placed.seen.times - placed.offsets[0]


def _robust_px(seen: Observations) -> float:
    """Scale of the robust triangulation: a share of the person's typical height in the images, pixels."""
    return max(float(np.nanmedian(seen.heights())) * ROBUST_PX, 2.0)
