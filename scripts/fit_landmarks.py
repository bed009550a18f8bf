"""Fit where a detector's landmarks sit on the body, and how far they scatter, from pairs of output and truth.

    python scripts/fit_landmarks.py PAIRS_FOLDER > mocap/landmarks/blazepose33.yaml

For PAIRS_FOLDER see `pairs.py`: detector output in four calibrated views beside the true joint centres and
bone rotations of a rendered rig. For every landmark the offset from a joint, in
the frames of one or two bones and in units of stature, is found by robust least squares on the image errors
(Huber weights), left and right together. The scatter is what remains, by landmark and by visibility.
Only the training people are used; the figures on the held-out ones are printed to stderr.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Any

import numpy as np
import yaml
from pairs import KNOWN_BAD, TO_Y_UP, folder_argument, loader

from mocap.keypoints import load_layout
from rigs import quat
from rigs.solving.body import MIRROR, Body, load_body

# landmark -> the joint it belongs to and the bones that carry it
CARRIED = {
    "nose": ("Head", ["Head"]),
    "left_eye_inner": ("Head", ["Head"]),
    "left_eye": ("Head", ["Head"]),
    "left_eye_outer": ("Head", ["Head"]),
    "left_ear": ("Head", ["Head"]),
    "mouth_left": ("Head", ["Head"]),
    "left_shoulder": ("LeftArm", ["Spine2", "LeftArm"]),
    "left_elbow": ("LeftForeArm", ["LeftArm", "LeftForeArm"]),
    "left_wrist": ("LeftHand", ["LeftForeArm", "LeftHand"]),
    "left_pinky": ("LeftHand", ["LeftHand"]),
    "left_index": ("LeftHand", ["LeftHand"]),
    "left_thumb": ("LeftHand", ["LeftHand"]),
    "left_hip": ("LeftUpLeg", ["Hips", "LeftUpLeg"]),
    "left_knee": ("LeftLeg", ["LeftUpLeg", "LeftLeg"]),
    "left_ankle": ("LeftFoot", ["LeftLeg", "LeftFoot"]),
    "left_heel": ("LeftFoot", ["LeftFoot"]),
    "left_foot_index": ("LeftToeBase", ["LeftFoot"]),
}
# our joint -> the rig's joint, and the rig's next joint along the bone
RIG = {
    "Hips": ("pelvis", None), "Spine": ("spine_01", None), "Spine1": ("spine_02", None),
    "Spine2": ("spine_03", None), "Neck": ("neck_01", None), "Head": ("head", None),
    "Shoulder": ("clavicle", None), "Arm": ("upperarm", "lowerarm"), "ForeArm": ("lowerarm", "hand"),
    "Hand": ("hand", "middle_01"),
    "UpLeg": ("thigh", "calf"), "Leg": ("calf", "foot"), "Foot": ("foot", "ball"), "ToeBase": ("ball", None),
}  # fmt: skip
START = {
    "LeftUpLeg": "left_hip", "LeftLeg": "left_knee", "LeftFoot": "left_ankle", "LeftToe": "left_foot_index",
    "LeftArm": "left_shoulder", "LeftForeArm": "left_elbow", "LeftHand": "left_wrist",
}  # fmt: skip
# How much of an offset is kept where one rig's idea of a joint cannot be trusted for everybody. Leaving a
# camera out on a real four-camera clip (barefoot, cameras refined on the clip), the left-out view missed the
# elbow by 12.5 px with the whole offset, 11.9 with half of it, 11.6 with none; the ankle by 11.2, 10.9 and
# 11.8. Other landmarks did not care.
KEPT = {"left_elbow": 0.5, "left_ankle": 0.7}
CHAINED = ("ForeArm", "Hand", "Leg")  # their frames bend with the bone before, about the hinge
VISIBILITY_EDGES = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0])
MEDIAN = 1.1774  # of the length of a plane normal vector, in standard deviations


HEADER = """\
# Where BlazePose's landmarks sit on the body and how far they scatter; written by scripts/fit_landmarks.py.
# bones: offset from the joint in each bone's frame, sd: image scatter when seen well; units of stature.
# start: the landmark that stands for a joint before anything is solved.
# Left side only; the right is its mirror image.
"""


def main() -> int:
    """Fit and print the YAML."""
    folder = folder_argument(__doc__).parse_args().pairs
    pairs = loader(folder)
    body, layout = load_body(), load_layout("blazepose33")
    train = [Truth(s, body, pairs) for s in pairs.load(folder / "blazepose_pairs.npz", split="train")]
    fits = {name: fit_landmark(name, *CARRIED[name], train, layout.landmarks) for name in CARRIED}
    table = {
        "layout": layout.name,
        "scatter_at_visibility": scatter_at_visibility([spread for _, *spread in fits.values()]),
        "start": START,
        "landmarks": {name: row for name, (row, *_) in fits.items()},
    }
    print(HEADER + yaml.safe_dump(table, sort_keys=False, width=110, default_flow_style=None), end="")
    return 0


def fit_landmark(
    name: str, joint: str, bones: list[str], train: list[Truth], landmarks: tuple[str, ...]
) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Fit one landmark: its row of the table, the visibilities, and the errors over its scatter."""
    rows = [r for t in train for r in t.rows(name, joint, bones, landmarks)]
    offset = robust_fit(rows) * KEPT.get(name, 1.0)
    error = np.concatenate([np.linalg.norm(e - a @ offset, axis=-1) for a, e, _, _ in rows])
    sight = np.concatenate([v for _, _, v, _ in rows])
    before = np.median(np.concatenate([np.linalg.norm(e, axis=-1) for _, e, _, _ in rows]))
    print(f"{name:16s} median error {before:.4f} -> {np.median(error):.4f} of stature", file=sys.stderr)
    shares = zip(bones, offset.reshape(-1, 3), strict=True)
    sd = round(float(np.median(error[sight > 0.9]) / MEDIAN), 5)
    offsets = {bone: [round(float(x), 5) for x in share] for bone, share in shares}
    return {"joint": joint, "bones": offsets, "sd": sd}, sight, error / sd


def scatter_at_visibility(spreads: list[list[np.ndarray]]) -> dict[str, list[float]]:
    """Return how the scatter grows as the detector sees less, over all landmarks."""
    sight, ratio = (np.concatenate([spread[k] for spread in spreads]) for k in (0, 1))
    edges = list(pairwise(VISIBILITY_EDGES))
    curve = [np.median(ratio[(sight >= low) & (sight <= high)]) / MEDIAN for low, high in edges]
    middle = [(low + high) / 2 for low, high in edges]
    return {"visibility": np.round(middle, 3).tolist(), "times_sd": np.round(curve, 3).tolist()}


class Truth:
    """One snippet's true joints and our bones' true rotations, y up, beside what the detector saw."""

    def __init__(self, snippet: dict[str, Any], body: Body, pairs: Any) -> None:
        self.body, self.snippet = body, snippet
        names = list(pairs.JOINTS) + list(pairs.LANDMARKS)
        turn = TO_Y_UP
        self.points = dict(
            zip(names, np.moveaxis(pairs.points(snippet).astype(float) @ turn.T, 1, 0), strict=True)
        )
        rest = np.concatenate([snippet["rest_joints"], snippet["rest_landmarks"]]) @ turn.T
        self.rest = dict(zip(names, rest, strict=True))
        rig = turn @ snippet["rot"] @ turn.T
        self.rig_rotation = dict(zip(pairs.JOINTS, np.moveaxis(rig, 1, 0), strict=True))
        self.camera_rotation = snippet["R"] @ turn.T

    def joint(self, name: str) -> np.ndarray:
        """True centre (T, 3) of our joint."""
        return self.points[self._rig_names(name)[0]]

    def rotation(self, name: str) -> np.ndarray:
        """World rotation (T, 3, 3) of our bone: the rig's, after turning our rest bone onto the rig's."""
        return self.rig_rotation[self._rig_names(name)[0]] @ self._rest_turn(name)

    def _rig_names(self, name: str) -> tuple[str, str | None]:
        side = {"Left": "_l", "Righ": "_r"}.get(name[:4], "")
        here, end = RIG[name.replace("Left", "").replace("Right", "")]
        return here + side, end + side if end else None

    def _rest_turn(self, name: str) -> np.ndarray:
        here, end = self._rig_names(name)
        if end is None:
            return np.eye(3)
        before = np.eye(3)
        if name.replace("Left", "").replace("Right", "") in CHAINED:
            before = self._rest_turn(self.body.names[self.body.parents[self.body.index(name)]])
        child = np.flatnonzero(self.body.parents == self.body.index(name))
        along = self.body.offsets[child[0]] if len(child) else self.body.tips[name]
        return quat.to_matrix(quat.between(before @ along, self.rest[end] - self.rest[here])) @ before

    def rows(
        self, name: str, joint: str, bones: list[str], landmarks: tuple[str, ...]
    ) -> list[tuple[np.ndarray, ...]]:
        """Rows for least squares, both sides and all views: image error over (focal / depth x stature)."""
        out = []
        sides = (
            [("left", "Left", np.ones(3)), ("right", "Right", MIRROR)]
            if "left" in name
            else [("", "Left", np.ones(3))]
        )
        for side, big, flip in sides:
            landmark = landmarks.index(name.replace("left", side or "left"))
            centre = self.joint(joint.replace("Left", big))
            turns = [self.rotation(b.replace("Left", big)) * flip for b in bones]
            for view in range(4):
                if not self._bad(view):
                    out.append(self._view_rows(view, landmark, centre, turns))
        return out

    def _bad(self, view: int) -> bool:
        m = self.snippet["meta"]
        return (str(m["take"]), m["person"], view) == KNOWN_BAD

    def _view_rows(
        self, view: int, landmark: int, centre: np.ndarray, turns: list[np.ndarray]
    ) -> tuple[np.ndarray, ...]:
        s = self.snippet
        camera = centre @ self.camera_rotation[view].T + s["t"][view]
        depth = camera[:, 2:]
        pixel = s["kp2d"][view, :, landmark].astype(float)
        focal = np.array([s["K"][view][0, 0], s["K"][view][1, 1]])
        image = (pixel[:, :2] - s["K"][view][:2, 2]) / focal
        error = (image - camera[:, :2] / depth) * depth / s["stature"]
        gain = (
            self.camera_rotation[view][:2]
            - (camera[:, :2] / depth)[..., None] * self.camera_rotation[view][2]
        )
        design = np.concatenate([gain @ t for t in turns], axis=-1)
        inside = np.all((pixel[:, :2] > 0) & (pixel[:, :2] < s["size"][view]), axis=-1) & (depth[:, 0] > 0.3)
        return design[inside], error[inside], pixel[inside, 2], depth[inside, 0]


def robust_fit(rows: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    """Offsets by least squares with Huber weights and weights by visibility."""
    design, error = (np.concatenate([r[k] for r in rows]) for k in (0, 1))
    sight = np.concatenate([r[2] for r in rows])
    ridge = np.eye(design.shape[-1]) * 1e-3 * len(design)
    weight, offset = sight**2, np.zeros(design.shape[-1])
    for _ in range(15):
        heavy = design * weight[:, None, None]
        offset = np.linalg.solve(
            np.einsum("nki,nkj->ij", heavy, design) + ridge * 0.01, np.einsum("nki,nk->i", heavy, error)
        )
        left = np.linalg.norm(error - design @ offset, axis=-1)
        weight = sight**2 * np.minimum(1.0, 1.5 * np.median(left) / np.maximum(left, 1e-9))
    return offset


if __name__ == "__main__":
    raise SystemExit(main())
