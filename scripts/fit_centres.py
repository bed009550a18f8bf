"""Say where the joint centres that a network finds in the image sit on the body, from true points of a rig.

    python scripts/fit_centres.py PAIRS_FOLDER --watched W.npz > mocap/landmarks/blazepose33_centres.yaml

For PAIRS_FOLDER see `pairs.py`. The landmarks of BlazePose stand there as in `blazepose33.yaml`. A centre
that is a joint of our body has no offset. For the others the offset from a joint, in the frame of one bone
and in units of stature, is fitted as in `fit_landmarks.py`, to the true points projected into the four views
as if a detector had seen them there. What the network errs by on average is added, see `centre_habits.py`;
for W.npz see `pixels/watch.py`. Clavicles and middle fingers have no row: nothing is solved from them. Heels
have none either: where they are in a shoe is anybody's guess, and without them knees bend truer and feet
stand stiller.
Only the training people are used, every third snippet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from centre_habits import Watched, offsets, read_watched, short
from fit_landmarks import RIG, Truth, fit_landmark
from pairs import folder_argument, loader

from mocap.attach import attachment_of
from mocap.keypoints import Layout, load_layout
from rigs.solving.body import Body, load_body

LANDMARKS = Path(__file__).parents[1] / "mocap" / "landmarks" / "blazepose33.yaml"
# joints that are centres by themselves
JOINTS = (
    "Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "LeftArm", "LeftForeArm", "LeftHand",
    "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase",
)  # fmt: skip
# centre -> the joint it belongs to and the bone that carries it
CARRIED = {
    "centre_nose_tip": ("Head", "Head"),
    "left_centre_eye": ("Head", "Head"),
    "left_centre_ear": ("Head", "Head"),
    "left_centre_toe": ("LeftToeBase", "LeftFoot"),
    "centre_head_top": ("Head", "Head"),
    "left_centre_thumb_02": ("LeftHand", "LeftHand"),
    "left_centre_index_01": ("LeftHand", "LeftHand"),
    "left_centre_pinky_01": ("LeftHand", "LeftHand"),
}
EVERY = 3  # of so many snippets one is used: three numbers a centre need no more
LEAST = 0.006  # of stature: the scatter of centres, which the network tells itself, picture by picture

HEADER = """\
# Where BlazePose's landmarks and the joint centres beside them sit on the body and how far they scatter;
# written by scripts/fit_centres.py, the landmarks as in blazepose33.yaml.
# bones: offset from the joint in each bone's frame, sd: image scatter when seen well; units of stature.
# start: the landmark that stands for a joint before anything is solved.
# short: lengths of bones as solved over what they are.
# Left side only; the right is its mirror image.
"""


def main() -> int:
    """Fit and print the YAML."""
    parser = folder_argument(__doc__)
    parser.add_argument("--watched", type=Path, action="append", default=[])
    given = parser.parse_args()
    folder = given.pairs
    pairs, layout = loader(folder), load_layout("blazepose33_centres")
    snippets = pairs.load(folder / "blazepose_pairs.npz", split="train")[::EVERY]
    body = load_body()
    train = [Truth(s | {"kp2d": projected(s, pairs, layout)}, body, pairs) for s in snippets]
    table = yaml.safe_load(LANDMARKS.read_text(encoding="utf-8"))
    table["layout"] = layout.name
    table["landmarks"] |= {centre_of(joint): at_joint(joint) for joint in JOINTS}
    for name, (joint, bone) in CARRIED.items():
        row, _, _ = fit_landmark(name, joint, [bone], train, layout.landmarks)
        table["landmarks"][name] = row | {"sd": max(row["sd"], LEAST)}
    if given.watched:
        add_habits(table, [person for path in given.watched for person in read_watched(path)], body)
    print(HEADER + yaml.safe_dump(table, sort_keys=False, width=110, default_flow_style=None), end="")
    return 0


def add_habits(table: dict[str, Any], people: list[Watched], body: Body) -> None:
    """Add to the table what the network errs by on average."""
    attachment = attachment_of(table, load_layout(table["layout"]), body)
    habits = offsets(people, attachment)
    for name, bones in habits.items():
        row = table["landmarks"][name]["bones"]
        for bone, offset in bones.items():
            row[bone] = [
                round(float(a + b), 5) for a, b in zip(row.get(bone, (0, 0, 0)), offset, strict=True)
            ]
    attachment = attachment_of(table, load_layout(table["layout"]), body)
    table["short"] = {group: round(share, 3) for group, share in short(people, attachment).items()}


def centre_of(joint: str) -> str:
    """Name of the centre in the layout that is one of our joints."""
    side = "left_" if joint.startswith("Left") else ""
    return f"{side}centre_{RIG[joint.removeprefix('Left')][0]}"


def at_joint(joint: str) -> dict[str, Any]:
    """Row of the table for a centre that is one of our joints."""
    return {"joint": joint, "bones": {joint: [0.0, 0.0, 0.0]}, "sd": LEAST}


def projected(snippet: dict[str, Any], pairs: Any, layout: Layout) -> np.ndarray:
    """What a detector without error would have seen of the centres: (4, T, J, 3) x, y, visibility.

    The landmarks that are no centres are left at 0, as unseen.
    """
    names = [*pairs.JOINTS, *pairs.LANDMARKS]
    points = pairs.points(snippet).astype(float)
    seen = np.zeros((4, len(points), len(layout), 3))
    rows = [layout.index(_layout_name(name)) for name in names]
    for view, (intrinsics, turn, move) in enumerate(
        zip(*(snippet[k].astype(float) for k in "KRt"), strict=True)
    ):
        homogeneous = (points @ turn.T + move) @ intrinsics.T
        seen[view][:, rows, :2] = homogeneous[..., :2] / homogeneous[..., 2:]
        seen[view][:, rows, 2] = 1.0
    return seen


def _layout_name(name: str) -> str:
    side = {"_l": "left_", "_r": "right_"}.get(name[-2:], "")
    return f"{side}centre_{name[:-2] if side else name}"


if __name__ == "__main__":
    raise SystemExit(main())
