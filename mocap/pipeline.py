"""The main job: videos in, a take with people's motions out."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.files import write_aniposelib
from mocap import quality
from mocap.ahead import Ahead
from mocap.cameras import check_cameras
from mocap.closer import can_look_closer, looked_at_closer
from mocap.config import CaptureConfig, View
from mocap.crowd import between
from mocap.detect import DEFAULT
from mocap.detect.base import Sought
from mocap.detect.cover import Cover
from mocap.detect.crew import Crew
from mocap.detect.parts import read_keypoints
from mocap.detect.run import detect_placed, detect_views, look_again, processors
from mocap.feet import Feet
from mocap.filming import filming
from mocap.hands import Handed, Hands, regions_of_lone_view, with_hands
from mocap.keypoints import Keypoints2D
from mocap.people import Beside, points_file, write_people
from mocap.pictures import disagreement_sheet, rig_page
from mocap.placing import Placed, place_views
from mocap.progress import Progress, Quiet
from mocap.quality import Quality, by_person, present
from mocap.refiner import refine_views
from mocap.solving import Solved, mended, solve_people
from mocap.take import Take
from mocap.video import VideoInfo, probe, sha256

Floats = NDArray[np.float64]
Follow = Callable[[str], Progress]


def capture(
    config: CaptureConfig,
    folder: Path,
    *,
    detector: str = DEFAULT,
    workers: int | None = None,
    incomplete: bool = False,
    trust: bool = False,
    feet: Feet = "auto",
    hands: Hands = "auto",
    progress: Follow = lambda stage: Quiet(),
) -> Quality:
    """Turn videos of people into a take.

    Args:
        config: views, calibration, subject.
        folder: the take; one that is there keeps its last good result until this one is complete.
        detector: a name of `mocap.detect`.
        workers: detection processes; None = as many as there are processors.
        incomplete: whether videos that cannot be read to their end will do, with a warning.
        trust: whether a given calibration is taken as it is, and not made better by the person.
        feet: what is done for feet, see `mocap.animate.animate`.
        hands: where fingers are looked for, see `mocap.hands.with_hands`.
        progress: given "detecting", "looking again", "solving", "looking closer" or "hands" as that begins,
            answers who follows it.

    Returns:
        The quality record, which is also in the take.

    Raises:
        MocapError, calibration.CalibrationError: bad input, or a result that would be meaningless.
    """
    began = time.perf_counter()
    job = _Job.begin(config, folder, detector, trust, feet, hands)
    lone = len(config.views) == 1 and config.calibration is None
    film_of_it = filming(job.videos[0]) if lone else nullcontext()
    with job.take.lock(), film_of_it as film, Crew(job.take) as crew:
        placed = job.place(progress, workers, incomplete, crew)
        ahead = job.hands_ahead(placed, workers, incomplete, crew)
        if can_look_closer(placed):
            with _stage(job.take, "closer", [job.arguments, job.views]):
                placed = job.look_closer(placed, progress, workers, incomplete, crew)
        with _stage(job.take, "solve", [job.arguments, job.views]):
            solved, left_out = solve_people(placed, config, job.videos, progress, feet, film)
        handed = job.hands(solved, placed, progress, workers, incomplete, crew, ahead)
        solved = [hands.solved for hands in handed]
        result = _measured(solved, handed, left_out, placed, config, time.perf_counter() - began)
        _write(job.take, solved, handed, placed, job.videos, result)
        job.take.complete()
    return result


def place_only(
    config: CaptureConfig,
    folder: Path,
    *,
    detector: str = DEFAULT,
    workers: int | None = None,
    incomplete: bool = False,
    progress: Follow = lambda stage: Quiet(),
) -> Placed:
    """Do the first half of a capture: find where the cameras stand and when they filmed.

    What was detected stays in the folder, and a capture into the same goes on from there.

    Args:
        config: views, and what is known of lenses, distances and the subject.
        folder: the take to be, as for `capture`; so are the others.
        detector: a name of `mocap.detect`.
        workers: detection processes.
        incomplete: whether videos that cannot be read to their end will do.
        progress: given "detecting" as that begins, answers who follows it.

    Raises:
        MocapError, calibration.CalibrationError: bad input, or cameras that cannot be found.
    """
    job = _Job.begin(config, folder, detector, trust=False, feet="auto", hands="auto")
    with job.take.lock(), Crew(job.take) as crew:
        return job.place(progress, workers, incomplete, crew)


@dataclass(frozen=True)
class _Job:
    """A capture that has begun: what it is made from, and the take that it writes."""

    config: CaptureConfig
    videos: list[VideoInfo]
    arguments: dict[str, Any]
    views: list[dict[str, Any]]
    take: Take

    @classmethod
    def begin(
        cls, config: CaptureConfig, folder: Path, detector: str, trust: bool, feet: Feet, hands: Hands
    ) -> _Job:
        videos = [probe(view.video) for view in config.views]
        check_cameras(config, videos)
        arguments = _arguments(config, detector, trust, feet, hands)
        views = [_record(view, video) for view, video in zip(config.views, videos, strict=True)]
        return cls(config, videos, arguments, views, Take.create(folder, arguments, views))

    def place(self, progress: Follow, workers: int | None, incomplete: bool, crew: Crew) -> Placed:
        config, take = self.config, self.take
        hashes = [view["sha256"] for view in self.views]
        alone = config.people == 1
        with _stage(take, "detect", [self.arguments["detector"], alone, *hashes]):
            keypoints = detect_views(
                config.views,
                self.arguments["detector"],
                take=take,
                progress=progress("detecting"),
                workers=workers,
                incomplete=incomplete,
                alone=alone,
                crew=crew,
            )
        with _stage(take, "place", [self.arguments, self.views]):
            refine = partial(refine_views, detector=self.arguments["detector"])
            trust = self.arguments["trust_calibration"]
            look = partial(self._look, progress, workers, crew)
            return place_views(config, self.videos, keypoints, trust=trust, refine=refine, look=look)

    def _look(
        self, progress: Follow, workers: int | None, crew: Crew, sought: Mapping[str, Sought]
    ) -> dict[str, Keypoints2D]:
        return look_again(
            self.config.views,
            sought,
            self.arguments["detector"],
            take=self.take,
            progress=progress("looking again"),
            workers=workers,
            alone=self.config.people == 1,
            crew=crew,
        )

    def look_closer(
        self,
        placed: Placed,
        progress: Follow,
        workers: int | None,
        incomplete: bool,
        crew: Crew,
    ) -> Placed:
        """See joints once more where people are, as far as a rough solve tells."""

        def find(
            what: str, regions: Mapping[str, Floats], covers: Mapping[str, Cover]
        ) -> dict[str, Keypoints2D]:
            look = self._finder(what, workers, incomplete, crew)
            return look(regions, progress=progress("looking closer"), covers=covers)

        return looked_at_closer(placed, self.config, self.videos, self._keypoints(), find, progress)

    def hands_ahead(self, placed: Placed, workers: int | None, incomplete: bool, crew: Crew) -> Ahead | None:
        """Look for hands while the body is solved, where that is not needed to know where they are.

        So it is with one person before one view. Otherwise the processes that will look get ready meanwhile.
        """
        mode = self.arguments["hands"]
        if mode == "never":
            return None
        if len(self.config.views) > 1 or len(placed.people) > 1 or placed.seen.world is None:
            crew.warm(workers or processors())
            return None
        seen, _ = mended(between(placed.seen, *placed.spans[0]), placed.cameras, self.videos)
        regions = regions_of_lone_view(seen, self._keypoints(), float(placed.offsets[0]), mode)
        find = self._finder("hands", workers, incomplete, crew)
        return Ahead(lambda progress: find(regions, progress=progress))

    def hands(
        self,
        solved: list[Solved],
        placed: Placed,
        progress: Follow,
        workers: int | None,
        incomplete: bool,
        crew: Crew,
        ahead: Ahead | None,
    ) -> list[Handed]:
        """Give the solved people hands; what was looked for `ahead` is in the take."""
        find = self._finder("hands", workers, incomplete, crew)

        def look(regions: Mapping[str, Floats]) -> Mapping[str, Keypoints2D]:
            follow = progress("hands")
            if ahead is not None:
                ahead.wait(follow)
            return find(regions, progress=follow)

        with _stage(self.take, "hands", [self.arguments, self.views]):
            known = self.config.subject.height is not None and len(solved) == 1
            mode = self.arguments["hands"]
            return with_hands(solved, self._keypoints(), placed.offsets, look, mode, known)

    def _finder(
        self, what: str, workers: int | None, incomplete: bool, crew: Crew
    ) -> Callable[..., dict[str, Keypoints2D]]:
        """Looks where places are known, given these by view and whom to tell how far it is."""
        return partial(
            detect_placed, what, self.config.views, take=self.take, workers=workers, incomplete=incomplete,
            crew=crew,
        )  # fmt: skip

    def _keypoints(self) -> dict[str, Keypoints2D]:
        return {view.name: read_keypoints(self.take, view.name) for view in self.config.views}


@contextmanager
def _stage(take: Take, name: str, inputs: list[Any]) -> Iterator[None]:
    """Note in the take how long a stage took, if it ends well and for the first time from these inputs."""
    began = time.perf_counter()
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    known = take.stage_done(name, key)
    yield
    if not known:
        take.finish_stage(name, key, time.perf_counter() - began)


def _measured(
    solved: list[Solved],
    handed: list[Handed],
    left_out: list[str],
    placed: Placed,
    config: CaptureConfig,
    seconds: float,
) -> Quality:
    given = config.subject.height is not None and len(placed.people) == 1
    found = [
        quality.measure(one.steady, one.cameras, one.landmarks, one.animated, one.swaps, one.agreed, given)
        for one in solved
    ]
    said = [one.notes + quality.warnings(each) for one, each in zip(solved, found, strict=True)]
    people = [
        {**each.record, **hands.record(), **present(one.seen, one.first)}
        for one, hands, each in zip(solved, handed, found, strict=True)
    ]
    record: dict[str, Any] = {**found[0].record, **handed[0].record(), **placed.record, "people": people}
    frames = placed.seen.frames
    record["processing_s"] = round(seconds, 3)
    record["processing_fps"] = frames / max(seconds, 1e-9)
    record["notes"] = placed.notes + left_out
    if len(solved) > 1 and config.subject.height is not None:
        record["notes"].append("the given height was not used: there are several people")
    record["warnings"] = placed.warnings + by_person(said)
    return Quality(record)


def _page(solved: Solved, placed: Placed, result: Quality) -> str:
    seen = result.record["reprojection"]
    errors = [seen[name]["median_px"] for name in solved.cameras.names]
    return rig_page(solved.cameras, solved.animated.motion, placed.offsets, errors, "Cameras of the take")


def _draw_disagreements(take: Take, placed: Placed, videos: list[VideoInfo]) -> None:
    """Show frames of each view whose given camera was plainly off."""
    for name in placed.moved:
        view = placed.seen.names.index(name)
        times = placed.seen.times - placed.offsets[view]
        path = take.scratch("disagreement.png")
        assert placed.given is not None
        disagreement_sheet(path, placed.seen, placed.given, name, videos[view].path, times)
        take.write_bytes(f"views/{name}.disagreement.png", path.read_bytes())


def _write(
    take: Take,
    solved: list[Solved],
    handed: list[Handed],
    placed: Placed,
    videos: list[VideoInfo],
    result: Quality,
) -> None:
    first = solved[0]
    take.write_text("cameras.html", _page(first, placed, result))
    _draw_disagreements(take, placed, videos)
    for person, one in enumerate(solved, 1):
        _write_points(take, points_file(person), one)
    motions = {person: hands.motion for person, hands in enumerate(handed, 1)}
    there = {person: present(one.seen, one.first) for person, one in enumerate(solved, 1)}
    beside = {
        person: Beside(one.animated.contacts, hands.seen, hands.joint_sd)
        for person, (one, hands) in enumerate(zip(solved, handed, strict=True), 1)
    }
    write_people(take, motions, there, beside)
    cameras = take.scratch("cameras.toml")
    offsets = dict(zip(first.cameras.names, placed.offsets.tolist(), strict=True))
    write_aniposelib(cameras, first.cameras, offsets)
    take.write_text("cameras.toml", cameras.read_text(encoding="utf-8"))
    take.write_json("quality.json", result.record)


def _write_points(take: Take, name: str, solved: Solved) -> None:
    if solved.landmarks is None:
        return
    take.write_arrays(
        name,
        points_m=solved.landmarks,
        landmarks=np.array(solved.seen.layout.landmarks),
        swapped_legs=solved.swaps.swapped["legs"],
        swapped_arms=solved.swaps.swapped["arms"],
    )


def _arguments(config: CaptureConfig, detector: str, trust: bool, feet: Feet, hands: Hands) -> dict[str, Any]:
    calibration = config.calibration
    return {
        "source": config.source and str(config.source),
        "detector": detector,
        "calibration": calibration and str(calibration.file),
        "calibration_sha256": calibration and sha256(calibration.file),
        "units": calibration and calibration.units,
        "up": calibration and calibration.up,
        "trust_calibration": trust,
        "feet": feet,
        "hands": "never" if hands == "auto" and detector == "given" else hands,
        "height_m": config.subject.height,
        "people": config.people,
    }


def _record(view: View, video: VideoInfo) -> dict[str, Any]:
    return {
        "name": view.name,
        "video": str(view.video),
        "sha256": sha256(view.video),
        "size": list(video.size),
        "fps": str(video.fps),
        "variable_rate": video.variable,
        "offset_s": view.offset,
        "intrinsics": view.intrinsics and str(view.intrinsics),
        "fov_rad": view.fov,
    }
