"""The quality record of a take: numbers with units, ten lines to read, and warnings with numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.triangulate import reproject_error
from mocap.animate import Animated
from mocap.attach import load_attachment
from mocap.gates import Agreement
from mocap.observations import Observations
from mocap.swaps import Swaps
from rigs.body import load_body
from rigs.kinematics import Chain, Pose, locate

Floats = NDArray[np.float64]

STILL = 0.15  # m/s of a foot's ball under which it is planted
SHORTEST_PLANT = 0.2  # seconds
BONES = (
    ("UpLeg", "Leg", "thigh"),
    ("Leg", "Foot", "shin"),
    ("Arm", "ForeArm", "upper arm"),
    ("ForeArm", "Hand", "forearm"),
)
CORE = ("LeftUpLeg", "RightUpLeg", "LeftArm", "RightArm")


@dataclass(frozen=True)
class Quality:
    """What `quality.json` holds, and how to say it."""

    record: dict[str, Any]

    def lines(self) -> list[str]:
        """Ten readable lines, or fewer where one camera has nothing to say."""
        r = self.record
        views = ", ".join(
            f"{n} {v['median_px']:.1f} ({v['p95_px']:.0f})" for n, v in r["reprojection"].items()
        )
        spread = ", ".join(f"{k} {v:.1f} %" for k, v in r["bone_spread_percent"].items())
        swaps = ", ".join(f"{n} {v}" for n, v in r["swaps"].items() if v != "none") or "none"
        gaps = r["gaps"]
        feet = r["feet"]
        lines = [
            f"motion        {r['frames']} frames at {r['fps']:.6g} fps, {r['seconds']:.2f} s; {len(r['reprojection'])} view(s)",
            f"reprojection  median (p95) px of all observations: {views}",
            f"agreement     {_agreement(r)}",
            f"bones         spread before the solve: {spread}",
            f"left/right    exchanged frames put back: {swaps}",
            f"gaps          {gaps['frames']} frames without the body, longest {gaps['longest_s']:.2f} s",
            f"planted feet  drift p95 {_mm(feet['drift_p95_mm'])}, speed {_mm(feet['speed_mm_s'], '/s')}, planted {100 * feet['share']:.0f} % of the time",
            f"floor         lowest foot {_mm(feet['floor_mm'])} from y = 0",
            f"body          stature {r['stature_m']:.2f} m{' (given)' if r['stature_given'] else ''}",
            f"speed         {r['processing_fps']:.1f} frames/s of {r['frames']} x {len(r['reprojection'])} views",
        ]
        return lines


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
    motion = animated.motion
    gone = ~(np.median(seen.confidence, axis=2) > 0.1).any(axis=0)
    record: dict[str, Any] = {
        "frames": len(motion),
        "fps": float(motion.fps),
        "seconds": len(motion) / float(motion.fps),
        "reprojection": _reprojection(seen, cameras, animated),
        "agreement_percent_of_height": None if agreed is None else _percent(agreed.error),
        "views_apart_share": None
        if agreed is None
        else dict(zip(seen.names, agreed.apart.round(4).tolist(), strict=True)),
        "bone_spread_percent": _bone_spread(seen, landmarks),
        "swaps": {n: _swap_words(c) for n, c in swaps.count().items()},
        "swap_frames": swaps.count(),
        "gaps": {"frames": int(gone.sum()), "longest_s": _longest_run(gone) / float(motion.fps)},
        "feet": _feet(animated),
        "stature_m": animated.stature,
        "stature_given": stature_given,
        "sizes_m_of_stature": animated.sizes,
        "max_step_deg": _largest_step(animated),
    }
    return Quality(record)


def warnings(quality: Quality) -> list[str]:
    """Say what is doubtful, with numbers."""
    r, out = quality.record, []
    for name, view in r["reprojection"].items():
        if view["median_percent_of_height"] > 4:
            out.append(
                f"view {name}: median reprojection {view['median_px']:.1f} px is {view['median_percent_of_height']:.1f} % of the person's height: the calibration or the detection is off"
            )
    if r["feet"]["floor_mm"] is not None and abs(r["feet"]["floor_mm"]) > 80:
        out.append(
            f"floor: the lowest foot is {r['feet']['floor_mm']:.0f} mm from y = 0: the calibration's origin is not on the floor"
        )
    if r["feet"]["drift_p95_mm"] is not None and r["feet"]["drift_p95_mm"] > 40:
        out.append(f"planted feet drift by {r['feet']['drift_p95_mm']:.0f} mm (p95)")
    if r["gaps"]["frames"] > 0.1 * r["frames"]:
        out.append(
            f"the body is unseen in {r['gaps']['frames']} of {r['frames']} frames: the motion is made up there"
        )
    if not 1.2 <= r["stature_m"] <= 2.1:
        out.append(f"stature {r['stature_m']:.2f} m: a child, or units of the calibration that are off")
    return out


def _reprojection(seen: Observations, cameras: Cameras, animated: Animated) -> dict[str, dict[str, float]]:
    body = load_body()
    attachment = load_attachment(seen.layout, body)
    sizes = np.array([animated.sizes[n] for n in body.size_names])
    posed = Chain(body).place(Pose(animated.motion.root, animated.motion.rotations), sizes)
    world = locate(posed, attachment.points(animated.stature))
    error = reproject_error(cameras, world, seen.pixels[:, :, attachment.rows])
    out, heights = {}, seen.heights()
    for v, name in enumerate(seen.names):
        known = error[v][np.isfinite(error[v])]
        height = float(np.nanmedian(heights[v])) if np.isfinite(heights[v]).any() else np.nan
        median, p95 = np.percentile(known, [50, 95]) if len(known) else (np.nan, np.nan)
        out[name] = {
            "median_px": float(median),
            "p95_px": float(p95),
            "median_percent_of_height": float(100 * median / height),
            "observations": int(len(known)),
        }
    return out


def _bone_spread(seen: Observations, landmarks: Floats | None) -> dict[str, float]:
    """Standard deviation over mean of triangulated bone lengths, in percent, both sides."""
    if landmarks is None:
        return {}
    start = load_attachment(seen.layout, load_body()).start
    out = {}
    for upper, lower, name in BONES:
        spread = []
        for side in ("Left", "Right"):
            length = np.linalg.norm(
                landmarks[:, start[side + upper]] - landmarks[:, start[side + lower]], axis=-1
            )
            length = length[np.isfinite(length)]
            spread += [length.std() / length.mean()] if len(length) else []
        out[name] = float(100 * np.mean(spread)) if spread else np.nan
    return out


def _feet(animated: Animated) -> dict[str, Any]:
    """Planted feet: drift within each plant, speed, share of the time, and the height of the floor."""
    motion = animated.motion
    world, fps = motion.world()[0], float(motion.fps)
    drift, speed, planted = [], [], 0
    for side in ("Left", "Right"):
        ball = world[:, motion.skeleton.index(f"{side}ToeBase")]
        moving = (
            np.linalg.norm(np.gradient(ball, axis=0), axis=-1) * fps if len(ball) > 1 else np.zeros(len(ball))
        )
        for start, stop in _runs(moving < STILL):
            if stop - start >= SHORTEST_PLANT * fps:
                still = ball[start:stop, [0, 2]]
                drift.append(np.linalg.norm(still - np.median(still, axis=0), axis=-1))
                speed.append(moving[start:stop])
                planted += stop - start
    lowest = min(
        np.percentile(world[:, motion.skeleton.index(f"{s}ToeBase"), 1], 5) for s in ("Left", "Right")
    )
    return {
        "drift_p95_mm": float(1000 * np.percentile(np.concatenate(drift), 95)) if drift else None,
        "speed_mm_s": float(1000 * np.mean(np.concatenate(speed))) if speed else None,
        "share": planted / (2 * len(motion)),
        "floor_mm": float(1000 * (lowest - _ball_at_rest(animated))),
    }


def _ball_at_rest(animated: Animated) -> float:
    """Height of the ball joint above the sole: a tenth of the foot's length, as in the rig's rest pose."""
    return 0.011 * animated.stature


def _largest_step(animated: Animated) -> dict[str, Any]:
    q = animated.motion.rotations
    if len(q) < 2:
        return {"degrees": 0.0, "joint": "", "frame": 0}
    cosine = np.abs((q[1:] * q[:-1]).sum(axis=-1))
    angle = np.rad2deg(2 * np.arccos(np.clip(cosine, 0, 1)))
    t, j = np.unravel_index(int(np.argmax(angle)), angle.shape)
    return {"degrees": float(angle[t, j]), "joint": animated.motion.skeleton.names[j], "frame": int(t)}


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _longest_run(mask: NDArray[np.bool_]) -> int:
    return max((b - a for a, b in _runs(mask)), default=0)


def _percent(error: Floats) -> float:
    return float(100 * np.nanmedian(error)) if np.isfinite(error).any() else float("nan")


def _swap_words(count: dict[str, int]) -> str:
    return " ".join(f"{k} {n}" for k, n in count.items() if n) or "none"


def _mm(value: float | None, per: str = "") -> str:
    return "unknown" if value is None else f"{value:.0f} mm{per}"


def _agreement(r: dict[str, Any]) -> str:
    if r["agreement_percent_of_height"] is None:
        return "one view: nothing to compare with"
    return (
        f"views miss one another by {r['agreement_percent_of_height']:.1f} % of the person's height (median)"
    )
