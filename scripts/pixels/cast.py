"""The people of a file of `people.py`, as tensors on a device."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

Tensor = torch.Tensor

UNIT = 1e-4  # metres: of the file's vertices
LOW, SOLES = 0.015, 128  # metres from the floor up to where soles reach; vertices of them that are kept


@dataclass(frozen=True)
class People:
    """The file's arrays by its names (see `people.py`), and who of the people may be drawn.

    Attributes:
        names: of the 52 joints.
        parents: of the joints, -1 for the pelvis.
        landmark_names: of the 20 landmarks.
        sole: (P, N) vertices of the soles of shoes or feet.
        who: indices of the people of the split that was asked for.
    """

    vertices: Tensor
    first_vertex: Tensor
    faces: Tensor
    first_face: Tensor
    uv: Tensor
    texture: Tensor
    kind: Tensor
    textures: Tensor
    skin_joint: Tensor
    skin_weight: Tensor
    joints: Tensor
    landmarks: Tensor
    landmark_joint: Tensor
    names: tuple[str, ...]
    parents: tuple[int, ...]
    landmark_names: tuple[str, ...]
    sole: Tensor
    who: Tensor

    def soles(self, person: Tensor, bones: Tensor) -> Tensor:
        """Where soles (I, N, 3) of people (I,) are, moved from rest by bones (I, 52, 3, 4)."""
        at = self.sole[person]
        rest = self.vertices[at].float() * UNIT
        joint, share = self.skin_joint[at].long(), self.skin_weight[at].float() / 255
        moved = bones[torch.arange(len(person), device=at.device)[:, None, None], joint]  # (I, N, 4, 3, 4)
        places = (moved[..., :3] @ rest[:, :, None, :, None])[..., 0] + moved[..., 3]
        return (places * share[..., None]).sum(2)

    @property
    def most_vertices(self) -> int:
        """That one of them has."""
        return int((self.first_vertex[1:] - self.first_vertex[:-1]).max())

    @property
    def most_faces(self) -> int:
        """That one of them has."""
        return int((self.first_face[1:] - self.first_face[:-1]).max())


DTYPES = {
    "vertices": torch.int16, "first_vertex": torch.int64, "faces": torch.int32, "first_face": torch.int64,
    "uv": torch.float32, "texture": torch.int16, "kind": torch.uint8, "textures": torch.uint8,
    "skin_joint": torch.uint8, "skin_weight": torch.uint8, "joints": torch.float32,
    "landmarks": torch.float32, "landmark_joint": torch.int64,
}  # fmt: skip


def _soles(vertices: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(P, SOLES) vertices, some of the lowest ones of each person at rest."""
    rows = []
    for start, stop in pairwise(first):
        low = start + np.flatnonzero(vertices[start:stop, 2] < LOW / UNIT)
        order = low[np.lexsort((vertices[low, 1], vertices[low, 0] > 0))]  # foot by foot, from toe to heel
        rows.append(order[np.linspace(0, len(order) - 1, SOLES).round().astype(int)])
    return np.array(rows)


def read_people(path: Path, split: int, device: torch.device) -> People:
    """Read a file of people.

    Args:
        path: the file.
        split: 0 = who is learned from, 1 = who was kept back.
        device: where the tensors are put.
    """
    with np.load(path, allow_pickle=False) as file:
        return People(
            **{
                key: torch.as_tensor(file[key]).to(device, dtype).contiguous()
                for key, dtype in DTYPES.items()
            },
            names=tuple(str(name) for name in file["joint_names"]),
            parents=tuple(int(parent) for parent in file["parents"]),
            landmark_names=tuple(str(name) for name in file["landmark_names"]),
            sole=torch.as_tensor(_soles(file["vertices"], file["first_vertex"]), device=device),
            who=torch.as_tensor(np.flatnonzero(file["group"] == split), device=device),
        )
