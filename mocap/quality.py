"""The quality record of a take: numbers with units, a dozen lines to read, and warnings with numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.triangulate import reproject_error
from mocap.animate import Animated
from mocap.attach import load_attachment
from mocap.doubt import made_up, worst_gap
from mocap.gates import Agreement
from mocap.observations import Observations
from mocap.swaps import Swaps
from rigs import quat
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose, locate

Floats = NDArray[np.float64]

STILL = 0.15  # m/s of a foot's ball under which it is planted
SHORTEST_PLANT = 0.2  # seconds
BONES = (
    ("UpLeg", "Leg", "thigh"),
    ("Leg", "Foot", "shin"),
    ("Arm", "ForeArm", "upper arm"),
    ("ForeArm", "Hand", "forearm"),
)
# Beyond these, a number is also said aloud as a warning.
MISS_PERCENT = 4.0
OFF_FLOOR_MM = 80.0
DRIFT_MM = 40.0
MADE_UP_SHARE = 0.05  # of joint-frames
STATURES = (1.2, 2.1)  # metres


@dataclass(frozen=True)
class Quality:
    """What `quality.json` holds, and how to say it."""

    record: dict[str, Any]

    def lines(self) -> list[str]:
        """A dozen readable lines for each person, or fewer where one camera has nothing to say."""
        people = self.record.get("people", [])
        if len(people) < 2:
            return self._lines(self.record)
        speed = {"processing_fps": self.record["processing_fps"]}
        each = [self._lines({**person, **speed})[:-1] for person in people]
        heads = [_there_words(k, person) for k, person in enumerate(people, 1)]
        whole = [*_placed_lines(self.record), self._lines({**people[0], **speed})[-1]]
        return [line for head, lines in zip(heads, each, strict=True) for line in (head, *lines)] + whole

    def _lines(self, r: dict[str, Any]) -> list[str]:
        gaps, views = r["gaps"], len(r["reprojection"])
        count = f"{views} view{'s' if views > 1 else ''}"
        swaps = ", ".join(f"{n} {v}" for n, v in r["swaps"].items() if v != "none") or "none"
        return [
            f"motion        {r['frames']} frames at {r['fps']:.6g} fps, {r['seconds']:.2f} s, {count}",
            *_placed_lines(r),
            f"reprojection  median (p95) px of all seen: {_reprojection_words(r['reprojection'])}",
            f"agreement     {_agreement_words(r['agreement_percent_of_height'])}",
            f"bones         {_spread_words(r['bone_spread_percent'])}",
            f"left/right    exchanged frames put back: {swaps}",
            f"gaps          {gaps['frames']} frames without the body, longest {gaps['longest_s']:.2f} s",
            f"made up       {_made_up_words(r['made_up'])}",
            f"planted feet  {_feet_words(r['feet'])}",
            f"hands         {_hands_words(r.get('hands_seen_share'))}",
            f"floor         lowest foot {_mm(r['feet']['floor_mm'])} from y = 0",
            f"body          stature {r['stature_m']:.2f} m{' (given)' if r['stature_given'] else ''}",
            f"speed         {r['processing_fps']:.1f} frames/s of {r['frames']} x {count}",
        ]


def measure(
    seen: Observations,
    cameras: Cameras,
    landmarks: Floats | None,
    animated: Animated,
    swaps: Swaps,
    agreed: Agreement | None,
    stature_given: bool,
) -> Quality:
    """Measure a solved person against everything that was seen, nothing dropped.

    Args:
        seen: the observations after left and right were put back.
        cameras: of the views.
        landmarks: (T, J, 3) triangulated, or None with one view.
        animated: the solved person.
        swaps: what was exchanged.
        agreed: how the views agree, or None with one view.
        stature_given: whether the stature came from the user.
    """
    motion, fps = animated.motion, float(animated.motion.fps)
    return Quality(
        {
            "frames": len(motion),
            "fps": fps,
            "seconds": len(motion) / fps,
            "reprojection": _reprojection(seen, cameras, animated),
            **_agreement(seen, agreed),
            "bone_spread_percent": _bone_spread(seen, landmarks),
            "swaps": {n: _swap_words(c) for n, c in swaps.count().items()},
            "swap_frames": swaps.count(),
            "gaps": _gaps(seen, fps),
            "made_up": _made_up(animated),
            "feet": _feet(animated),
            "stature_m": animated.stature,
            "stature_given": stature_given,
            "sizes_m_of_stature": animated.sizes,
            "max_step_deg": _largest_step(animated),
        }
    )


def warnings(quality: Quality) -> list[str]:
    """Say what is doubtful, with numbers."""
    r = quality.record
    out = [line for name, view in r["reprojection"].items() for line in _view_warnings(name, view)]
    floor, drift = r["feet"]["floor_mm"], r["feet"]["drift_p95_mm"]
    if abs(floor) > OFF_FLOOR_MM:
        out.append(
            f"floor: the lowest foot is {floor:.0f} mm from y = 0: the calibration's origin is off the floor"
        )
    if drift is not None and drift > DRIFT_MM:
        out.append(f"planted feet drift by {drift:.0f} mm (p95)")
    if r["gaps"]["frames"] > 0.1 * r["frames"]:
        out.append(
            f"the body is unseen in {r['gaps']['frames']} of {r['frames']} frames: motion is made up there"
        )
    made = r["made_up"]
    if made and made["share"] > MADE_UP_SHARE:
        out.append(f"made up: {_made_up_words(made)}")
    low, high = STATURES
    if not low <= r["stature_m"] <= high:
        out.append(f"stature {r['stature_m']:.2f} m: a child, or units of the calibration that are off")
    return out


def present(seen: Observations, first: int) -> dict[str, Any]:
    """When a person was there, for the record.

    Args:
        seen: the frames in which he was.
        first: number of the first of them.
    """
    share = seen.visible().mean(axis=1).round(4).tolist()
    return {
        "first_frame": first,
        "last_frame": first + seen.frames - 1,
        "seen_share": dict(zip(seen.names, share, strict=True)),
    }


def by_person(said: list[list[str]]) -> list[str]:
    """Warnings of everybody; with several people each begins with whom it is about."""
    if len(said) == 1:
        return said[0]
    return [f"person {k}: {line}" for k, lines in enumerate(said, 1) for line in lines]


def _there_words(person: int, record: dict[str, Any]) -> str:
    first, last = record["first_frame"], record["last_frame"]
    seen = ", ".join(f"{name} {100 * share:.0f} %" for name, share in record["seen_share"].items())
    return f"person {person}      frames {first} to {last}, seen by {seen}"


def _view_warnings(name: str, view: dict[str, float]) -> list[str]:
    if not view["observations"]:
        return [f"view {name}: nobody was seen in it"]
    median, percent = view["median_px"], view["median_percent_of_height"]
    if percent > MISS_PERCENT:
        return [
            f"view {name}: median reprojection {median:.1f} px is {percent:.1f} % of the person's height:"
            " several people, a camera that moves, a wrong calibration, or a pose the detector does not know"
        ]
    return []


def _agreement(seen: Observations, agreed: Agreement | None) -> dict[str, Any]:
    if agreed is None:
        return {"agreement_percent_of_height": None, "views_apart_share": None}
    known = agreed.error[np.isfinite(agreed.error)]
    return {
        "agreement_percent_of_height": float(100 * np.median(known)) if len(known) else np.nan,
        "views_apart_share": dict(zip(seen.names, agreed.apart.round(4).tolist(), strict=True)),
    }


def _gaps(seen: Observations, fps: float) -> dict[str, Any]:
    gone = ~seen.visible().any(axis=0)
    return {"frames": int(gone.sum()), "longest_s": _longest_run(gone) / fps}


def _made_up(animated: Animated) -> dict[str, Any] | None:
    """How well joints are known, how many joint-frames are made up, and the stretch that is known worst."""
    if animated.joint_sd is None:
        return None
    unknown, names = made_up(animated.joint_sd), animated.motion.skeleton.names
    worst = worst_gap(animated.joint_sd, names)
    return {
        "typical_mm": float(1000 * np.median(animated.joint_sd)),
        "joint_frames": int(unknown.sum()),
        "share": float(unknown.mean()),
        "frames_by_joint": {n: int(k) for n, k in zip(names, unknown.sum(axis=0), strict=True) if k},
        "worst": None if worst is None else asdict(worst),
    }


def _reprojection(seen: Observations, cameras: Cameras, animated: Animated) -> dict[str, dict[str, float]]:
    body = load_body()
    attachment = load_attachment(seen.layout, body)
    sizes = np.array([animated.sizes[n] for n in body.size_names])
    posed = Chain(body).place(Pose(animated.motion.root, animated.motion.rotations), sizes)
    world = locate(posed, attachment.points(animated.stature))
    error = reproject_error(cameras, world, seen.pixels[:, :, attachment.rows])
    return {n: _miss(e, h) for n, e, h in zip(seen.names, error, seen.heights(), strict=True)}


def _miss(error: Floats, heights: Floats) -> dict[str, float]:
    """How far one view's observations (T, N) are off, pixels, for a person of `heights` (T,) pixels."""
    known, height = error[np.isfinite(error)], heights[np.isfinite(heights)]
    median, p95 = np.percentile(known, [50, 95]) if len(known) else (np.nan, np.nan)
    return {
        "median_px": float(median),
        "p95_px": float(p95),
        "median_percent_of_height": float(100 * median / np.median(height)) if len(known) else np.nan,
        "observations": len(known),
    }


def _bone_spread(seen: Observations, landmarks: Floats | None) -> dict[str, float]:
    """Standard deviation over mean of triangulated bone lengths, in percent, both sides."""
    if landmarks is None:
        return {}
    start = load_attachment(seen.layout, load_body()).start

    def length(side: str, upper: str, lower: str) -> Floats:
        between = landmarks[:, start[side + upper]] - landmarks[:, start[side + lower]]
        found = np.linalg.norm(between, axis=-1)
        return found[np.isfinite(found)]

    out = {}
    for upper, lower, name in BONES:
        lengths = [length(side, upper, lower) for side in ("Left", "Right")]
        spread = [found.std() / found.mean() for found in lengths if len(found)]
        out[name] = float(100 * np.mean(spread)) if spread else np.nan
    return out


def _feet(animated: Animated) -> dict[str, Any]:
    """Planted feet: drift within each plant, speed, share of the time, and the height of the floor."""
    motion = animated.motion
    world, fps = motion.world()[0], float(motion.fps)
    balls = [world[:, motion.skeleton.index(f"{side}ToeBase")] for side in ("Left", "Right")]
    plants = [plant for ball in balls for plant in _plants(ball, fps)]
    drift, speed = ([p[k] for p in plants] or [np.full(1, np.nan)] for k in (0, 1))
    lowest = min(np.percentile(ball[:, 1], 5) for ball in balls)
    return {
        "drift_p95_mm": _number(1000 * np.percentile(np.concatenate(drift), 95)),
        "speed_mm_s": _number(1000 * np.mean(np.concatenate(speed))),
        "share": sum(len(still) for still, _ in plants) / (2 * len(motion)),
        "floor_mm": float(1000 * (lowest - _ball_at_rest(animated))),
    }


def _plants(ball: Floats, fps: float) -> list[tuple[Floats, Floats]]:
    """For each time that a ball (T, 3) stands still: how far (m) from its place, and how fast (m/s) it is."""
    if len(ball) < 2:
        return []
    moving = np.linalg.norm(np.gradient(ball, axis=0), axis=-1) * fps
    spans = [(a, b) for a, b in _runs(moving < STILL) if b - a >= SHORTEST_PLANT * fps]
    places = [ball[a:b, [0, 2]] for a, b in spans]
    drift = [np.linalg.norm(place - np.median(place, axis=0), axis=-1) for place in places]
    return [(away, moving[a:b]) for away, (a, b) in zip(drift, spans, strict=True)]


def _ball_at_rest(animated: Animated) -> float:
    """Height of the ball joint above the sole: a tenth of the foot's length, as in the rig's rest pose."""
    return 0.011 * animated.stature


def _largest_step(animated: Animated) -> dict[str, Any]:
    q = animated.motion.rotations
    if len(q) < 2:
        return {"degrees": 0.0, "joint": "", "frame": 0}
    angle = np.rad2deg(quat.angle(q[:-1], q[1:]))
    t, j = np.unravel_index(int(np.argmax(angle)), angle.shape)
    return {"degrees": float(angle[t, j]), "joint": animated.motion.skeleton.names[j], "frame": t}


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _longest_run(mask: NDArray[np.bool_]) -> int:
    return max((b - a for a, b in _runs(mask)), default=0)


def _number(value: np.floating[Any]) -> float | None:
    return float(value) if np.isfinite(value) else None


def _hands_words(share: dict[str, float] | None) -> str:
    if not share or not any(share.values()):
        return "not seen: fingers are relaxed"
    return "seen in " + ", ".join(f"{100 * v:.0f} % ({side})" for side, v in share.items()) + " of the frames"


def _swap_words(count: dict[str, int]) -> str:
    return " ".join(f"{k} {n}" for k, n in count.items() if n) or "none"


def _mm(value: float | None, per: str = "") -> str:
    return "unknown" if value is None else f"{value:.0f} mm{per}"


def _placed_lines(record: dict[str, Any]) -> list[str]:
    """Where the cameras and their times are from; nothing for one camera."""
    cameras, clock = record.get("calibration", {}), record.get("sync", {})
    if len(clock) < 2:
        return []
    offsets = ", ".join(f"{name} {view['offset_s']:.3f}" for name, view in clock.items())
    sources = sorted({view["from"] for view in clock.values()})
    return [
        f"cameras       {_camera_words(cameras)}",
        f"clock         offsets s: {offsets} ({', '.join(sources)})",
    ]


def _camera_words(cameras: dict[str, Any]) -> str:
    left_out = cameras.get("left_out_px", {}).get("median", np.nan)
    foretold = f", foretold by one another to {left_out:.1f} px (median)" if np.isfinite(left_out) else ""
    if cameras.get("from") == "people":
        worst = max(cameras["turn_sd_deg"].values())
        return f"found from the person, directions to {worst:.1f} degrees{foretold}"
    if cameras.get("refined"):
        return f"from the calibration file, refined by the person{foretold}"
    return f"from the calibration file{' as it is' if cameras.get('trusted') else ''}{foretold}"


def _agreement_words(percent: float | None) -> str:
    if percent is None:
        return "one view: nothing to compare with"
    return f"views miss one another by {percent:.1f} % of the person's height (median)"


def _reprojection_words(views: dict[str, dict[str, float]]) -> str:
    return ", ".join(
        f"{name} {v['median_px']:.1f} ({v['p95_px']:.0f})" if v["observations"] else f"{name} nothing seen"
        for name, v in views.items()
    )


def _spread_words(bones: dict[str, float]) -> str:
    if not bones:
        return "one view: lengths are not measured"
    return "spread before the solve: " + ", ".join(f"{bone} {v:.1f} %" for bone, v in bones.items())


def _made_up_words(made: dict[str, Any] | None) -> str:
    if made is None:
        return "unknown: nobody has measured how far joints are off"
    known = f"joints are known to {made['typical_mm']:.0f} mm (median)"
    if made["worst"] is None:
        return f"nothing; {known}"
    worst = made["worst"]
    return (
        f"{made['joint_frames']} joint-frames, {100 * made['share']:.1f} %; worst {worst['joint']} in frames"
        f" {worst['start']} to {worst['stop'] - 1}, to {1000 * worst['worst_m']:.0f} mm; {known}"
    )


def _feet_words(feet: dict[str, Any]) -> str:
    drift, speed = _mm(feet["drift_p95_mm"]), _mm(feet["speed_mm_s"], "/s")
    return f"drift p95 {drift}, speed {speed}, planted {100 * feet['share']:.0f} % of the time"
