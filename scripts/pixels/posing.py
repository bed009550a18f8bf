"""People, stretched and put into poses: recorded ones, mixed and swayed, with fingers that curl."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from cast import People
from chance import Chance, constant
from torch.nn.functional import normalize

Tensor = torch.Tensor

KNUCKLES = ("thumb_02", "index_01", "middle_01", "pinky_01")
ARM = ("upperarm", "lowerarm", "hand", "clavicle")
LEG = ("thigh", "calf", "foot", "ball")
OTHER_ARMS, OTHER_LEGS = 0.35, 0.15  # how often the arms or legs are those of another frame
SWAY = {  # degrees that a joint is turned by chance beside what was recorded, times `MORE`
    "spine_01": 6, "spine_02": 6, "spine_03": 6, "neck_01": 7, "head": 10, "clavicle": 8, "upperarm": 14,
    "lowerarm": 12, "hand": 16, "thigh": 11, "calf": 8, "foot": 20, "ball": 14,
}  # fmt: skip
MORE = 1.6  # at most
LEAN = 6.0  # degrees of the whole body
LYING = 0.04  # how often it leans by about 1 radian instead
# Bones are made longer and thicker by chance, both sides alike. For each joint: the one its bone leads to,
# how much longer and thicker (standard deviations of logarithms), and what shares how thick it is.
BONES = {
    "pelvis": ("spine_01", 0.04, 0.07, "trunk"), "spine_01": ("spine_02", 0.04, 0.07, "trunk"),
    "spine_02": ("spine_03", 0.04, 0.07, "trunk"), "spine_03": ("neck_01", 0.04, 0.07, "trunk"),
    "neck_01": ("head", 0.06, 0.05, "neck"), "head": (None, 0.0, 0.05, "head"),
    "clavicle": ("upperarm", 0.08, 0.05, "clavicle"), "upperarm": ("lowerarm", 0.06, 0.07, "arm"),
    "lowerarm": ("hand", 0.06, 0.07, "arm"), "hand": ("middle_01", 0.05, 0.05, "hand"),
    "thigh": ("calf", 0.06, 0.07, "leg"), "calf": ("foot", 0.06, 0.07, "leg"),
    "foot": ("ball", 0.06, 0.09, "foot"), "ball": ("foot", 0.06, 0.09, "foot"),
}  # fmt: skip


@dataclass(frozen=True)
class Posed:
    """How joints turn and stretch what is at rest (I, 52, 3, 3), their centres (I, 52, 3) and landmarks.

    These (I, 20, 3); world, metres.
    """

    turns: Tensor
    places: Tensor
    landmarks: Tensor

    def moved(self, by: Tensor) -> Posed:
        """The same elsewhere, by (I, 3) metres."""
        return Posed(self.turns, self.places + by[:, None], self.landmarks + by[:, None])

    def to_the_middle(self, soles: Tensor) -> Tensor:
        """(I, 3) metres to where the lowest point is on the floor, and the pelvis above the middle.

        Args:
            soles: (I, N, 3) where they are: shoes reach lower than what is in them.
        """
        shift = -self.places[:, 0] * constant((1.0, 1.0, 0.0), self.places.device)
        shift[:, 2] = -torch.cat([self.landmarks, self.places, soles], 1)[..., 2].amin(1)
        return shift

    def bones(self, rest: Tensor) -> Tensor:
        """(I, 52, 3, 4) from where things are at rest, joints at (I, 52, 3) metres, to the world."""
        moves = self.places - (self.turns @ rest[..., None])[..., 0]
        return torch.cat([self.turns, moves[..., None]], -1).contiguous()


class Poses:
    """Puts people into poses.

    Args:
        path: file of `poses.py`.
        split: 0 = frames to learn from, 1 = those of people kept back.
        people: who may be posed.
        chance: draws.

    Attributes:
        joints: names of the 22 joints that recorded motion turns; fingers follow the hand and curl.
        targets: names of the points whose places in pictures are learned.
    """

    def __init__(self, path: Path, split: int, people: People, chance: Chance) -> None:
        self.people, self.chance, device = people, chance, chance.device
        with np.load(path, allow_pickle=False) as file:
            recorded = torch.as_tensor(file[("train", "val")[split]])
            self.recorded = recorded.to(device, torch.float32)  # (N, 22, 4) in the world, wxyz
            self.joints = [str(name) for name in file["joint_names"]]
            self.parents = [int(parent) for parent in file["parents"]]
            landmarks = [str(n) for n in file["landmark_names"] if str(n) in people.landmark_names]
        knuckles = [f"{name}_{side}" for name in KNUCKLES for side in "lr"]
        self.targets = [*self.joints, *landmarks, *knuckles]
        self._joint_rows, self._knuckle_rows = (
            torch.as_tensor([people.names.index(name) for name in names], device=device)
            for names in (self.joints, knuckles)
        )
        self._landmark_rows = torch.as_tensor(
            [people.landmark_names.index(name) for name in landmarks], device=device
        )
        sway = [math.radians(SWAY.get(n, SWAY.get(n[:-2], 0))) for n in self.joints]
        self._sway = torch.as_tensor(sway, device=device)

    def points(self, posed: Posed) -> Tensor:
        """Places (I, K, 3) of the targets."""
        marks = posed.landmarks[:, self._landmark_rows]
        joints, knuckles = (posed.places[:, rows] for rows in (self._joint_rows, self._knuckle_rows))
        return torch.cat([joints, marks, knuckles], 1)

    def draw(self, person: Tensor) -> Posed:
        """Pose people (I,) by chance, each with the pelvis where it is at rest."""
        stretch = self.stretches(self.people.joints[person])
        recorded = self._turns(len(person))
        curl = {side: self.chance.uniform(len(person), high=1.3) ** 2 for side in "lr"}
        return self.pose(person, recorded, stretch, curl)

    def pose(self, person: Tensor, recorded: Tensor, stretch: Tensor, curl: dict[str, Tensor]) -> Posed:
        """Put people (I,) into poses, each with the pelvis where it is at rest.

        Args:
            person: who of the file each is.
            recorded: (I, 22, 3, 3) rotations of `joints` in the world.
            stretch: (I, 52, 3, 3) of `stretches`.
            curl: (I,) rad, of the left and right hand's fingers, which tremble a little by chance.
        """
        people, rest = self.people, self.people.joints[person]
        turns: list[Tensor] = []
        places: list[Tensor] = []
        for j, (name, parent) in enumerate(zip(people.names, people.parents, strict=True)):
            if name in self.joints:
                turns.append(recorded[:, self.joints.index(name)])
            else:
                turns.append(turns[parent] @ self._bent(name, rest, curl[name[-1]]))
            if parent < 0:
                places.append(rest[:, j])
            else:
                bone = (rest[:, j] - rest[:, parent])[..., None]
                places.append(places[parent] + (turns[parent] @ stretch[:, parent] @ bone)[..., 0])
        turn, place, held = torch.stack(turns, 1) @ stretch, torch.stack(places, 1), people.landmark_joint
        arm = (people.landmarks[person] - rest[:, held])[..., None]
        return Posed(turn, place, place[:, held] + (turn[:, held] @ arm)[..., 0])

    def stretches(self, rest: Tensor) -> Tensor:
        """(I, 52, 3, 3) stretches of what is at rest about joints (I, 52, 3)."""
        names, count, device = self.people.names, len(rest), rest.device
        girth = {of: self.chance.normal(count) for *_, of in BONES.values()}
        longer = {name: self.chance.normal(count) for name in BONES}
        same = torch.eye(3, device=device).expand(count, 3, 3)
        out = []
        for j, name in enumerate(names):
            plain, side = (name[:-2], name[-2:]) if name[:-2] in BONES else (name, "")
            if plain not in BONES:
                out.append(same)
                continue
            end, long, thick, of = BONES[plain]
            wide = torch.exp(thick * girth[of])[:, None, None]
            if end is None:
                out.append(wide * same)
                continue
            along = normalize(rest[:, names.index(end + side)] - rest[:, j], dim=-1)[..., None]
            more = torch.exp(long * longer[plain])[:, None, None] - wide
            out.append(wide * same + more * along @ along.transpose(1, 2))
        return torch.stack(out, 1)

    def _turns(self, count: int) -> Tensor:
        """Rotations (I, 22, 3, 3) in the world: a recorded frame, at times with another's limbs; sway."""
        chance, pool = self.chance, len(self.recorded)
        own, arms, legs = (self._local(chance.integers(pool, count)) for _ in range(3))
        swap_arms, swap_legs = (chance.uniform(count) < share for share in (OTHER_ARMS, OTHER_LEGS))
        for i, name in enumerate(self.joints):
            if name.startswith(ARM):
                own[:, i] = torch.where(swap_arms[:, None, None], arms[:, i], own[:, i])
            if name.startswith(LEG):
                own[:, i] = torch.where(swap_legs[:, None, None], legs[:, i], own[:, i])
        strength = chance.uniform(count, 1, 1) * MORE
        own = own @ matrices(chance.normal(count, len(self.joints), 3) * self._sway[:, None] * strength)
        heading = torch.zeros(count, 3, device=chance.device)
        heading[:, 2] = chance.uniform(count, high=2 * math.pi)
        lean = chance.normal(count, 3, sd=math.radians(LEAN))
        lying = (chance.uniform(count, 1) < LYING).float()
        lean = lean + lying * chance.normal(count, 3)
        lean[:, 2] = 0
        own[:, 0] = matrices(lean) @ matrices(heading) @ own[:, 0]
        whole = [own[:, 0]]
        for i in range(1, len(self.joints)):
            whole.append(whole[self.parents[i]] @ own[:, i])
        return torch.stack(whole, 1)

    def _local(self, frame: Tensor) -> Tensor:
        """Rotations (I, 22, 3, 3) of recorded frames, each joint's in the axes of its parent."""
        whole = of_quaternions(self.recorded[frame])
        above = whole[:, constant(tuple(max(p, 0) for p in self.parents), frame.device)]
        above[:, 0] = torch.eye(3, device=frame.device)
        return above.transpose(-1, -2) @ whole

    def _bent(self, name: str, rest: Tensor, curl: Tensor) -> Tensor:
        """Rotations (I, 3, 3) of a finger's joint about the axis that lies across it and in the palm."""
        names, side = self.people.names, name[-1]
        here, hand, index, little = (
            rest[:, names.index(n)] for n in (name, f"hand_{side}", f"index_01_{side}", f"pinky_01_{side}")
        )
        palm = torch.cross(index - hand, little - hand, dim=-1)
        across = torch.cross(palm, here - hand, dim=-1)
        across = across / across.norm(dim=-1, keepdim=True)
        sign = 1.0 if side == "l" else -1.0
        angle = (curl + self.chance.normal(len(rest), sd=0.12)) * (0.3 if name.startswith("thumb") else 1.0)
        return matrices(across * (sign * angle)[:, None])


def matrices(vector: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3), radians."""
    angle = vector.norm(dim=-1, keepdim=True).clamp_min(1e-9)
    x, y, z = (vector / angle).unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    a = angle[..., None]
    return torch.eye(3, device=vector.device) + a.sin() * cross + (1 - a.cos()) * (cross @ cross)


def of_quaternions(q: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4), wxyz."""
    w, x, y, z = (q / q.norm(dim=-1, keepdim=True)).unbind(-1)
    return torch.stack(
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
         2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
         2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1,
    ).reshape(*w.shape, 3, 3)  # fmt: skip
