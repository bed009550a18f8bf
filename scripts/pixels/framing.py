"""Cameras by chance, and the crops about a person that a capture would cut from their images.

A capture cuts crops about the landmarks of a detector, and, once people are solved roughly, closer ones about
where they are (`mocap/closer.py`): of all of them, of all but the feet, and of shoulders and legs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from chance import Chance, constant
from torch.nn.functional import normalize

Tensor = torch.Tensor

SIZE = 256  # of a crop, pixels
FINE = 2 * SIZE  # what is drawn before it is averaged down
BOXED = (  # what a crop is cut about: the points that the detector has, too
    "nose_tip", "eye", "ear", "upperarm", "lowerarm", "hand", "thumb_02", "index_01", "pinky_01", "thigh",
    "calf", "foot", "heel", "toe",
)  # fmt: skip
UPPER = tuple(name for name in BOXED if name not in ("foot", "heel", "toe"))
LEGS = ("upperarm", "thigh", "calf", "foot", "heel", "toe")
CLOSELY = BOXED, UPPER, LEGS  # what closer crops hold, in the order of `mocap.detect.closer.SQUARES`
KINDS = "detector", "all", "upper", "legs"  # of crops: a detector's, and those closer
USUAL = (1.0, 0.0, 0.0, 0.0)
SHARED = f"How often crops are cut: {', '.join(KINDS)}."
AROUND, CLOSER = 1.25, 1.15  # times the extent of the person: the crop's side, and that of a closer one
ASTRAY = 0.1  # how often the detector was wrong about where the person is
TILT, TILT_ASTRAY = math.radians(9), 0.6  # radians by which crops are turned wrongly
PLACED, TURNED = 0.015, math.radians(1.5)  # of the side, and radians: by which closer crops are misplaced
DRAWN = 0.75  # share of the way to the image's edge by which closer crops draw in what is beyond it
NEAREST = 0.2  # metres
CUT, DEEPEST = 0.3, 0.5  # how often the image's edge cuts a person, and how much of it at most


@dataclass(frozen=True)
class Views:
    """Cameras of S crops.

    Attributes:
        matrix: (S, 3, 4) world to pixels of what is drawn, FINE a side.
        rays: (S, 12) see `shade.cu`.
        crop: (S, 3, 3) image coordinates to pixels of what is drawn.
        edge: (S, 3) a, b, c: the camera's image ends where a x + b y + c = 0, in pixels of the crop; what is
            more than 0 is beyond.
    """

    matrix: Tensor
    rays: Tensor
    crop: Tensor
    edge: Tensor

    @property
    def eye(self) -> Tensor:
        """(S, 3) where the cameras are, metres."""
        return self.rays[:, 9:12]

    def crop_pixels(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (S, K, 2) of the crop where points (S, K, 3) are, and whether (S, K) before the camera."""
        seen = points @ self.matrix[:, :, :3].transpose(1, 2) + self.matrix[:, None, :, 3]
        pixels = (seen[..., :2] / seen[..., 2:] - 0.5) / 2  # pixel centres lie at whole coordinates in both
        return pixels, seen[..., 2] > 0.1


def draw_views(points: Tensor, names: list[str], chance: Chance, kinds: Tensor | None = None) -> Views:
    """Draw cameras about people, and crop what they see.

    The crop is what a capture would cut: a square 1.25 times the extent of the person, turned so that the
    trunk is upright, and not quite in the right place. Where the image's edge cuts the person, the detector
    draws what is beyond nearer to the edge, and the crop follows.

    Args:
        points: (S, K, 3) of the person, metres.
        names: K, of the points; the first is the pelvis.
        chance: draws.
        kinds: (S,) numbers in `KINDS`; a detector's without.
    """
    return crop_views(points, names, *place_cameras(points[:, 0], chance), chance, kinds)


def crop_views(
    points: Tensor, names: list[str], turn: Tensor, eye: Tensor, chance: Chance, kinds: Tensor | None = None
) -> Views:
    """Crop what cameras see of people.

    Args:
        points: (S, K, 3) of the person, metres.
        names: K, of the points.
        turn: (S, 3, 3) rotations from the world to the cameras.
        eye: (S, 3) where the cameras are, metres.
        chance: draws.
        kinds: (S,) numbers in `KINDS`; a detector's without.
    """
    count = len(points)
    move = -(turn @ eye[..., None])
    seen = points @ turn.transpose(1, 2) + move[..., 0][:, None]
    image = seen[..., :2] / seen[..., 2:].clamp_min(NEAREST)
    crop, edge = _crops(image, names, chance, kinds)
    rays = turn.transpose(1, 2) @ torch.linalg.inv_ex(crop).inverse  # `inv` waits for the device
    return Views(
        (crop @ torch.cat([turn, move], -1)).contiguous(),
        torch.cat([rays.reshape(count, 9), eye], -1).contiguous(),
        crop,
        edge,
    )


def place_cameras(middle: Tensor, chance: Chance) -> tuple[Tensor, Tensor]:
    """World-to-camera rotations (S, 3, 3) and places (S, 3) of cameras that look near points (S, 3)."""
    count, device = len(middle), middle.device
    far = 1.6 + 6.4 * chance.uniform(count) ** 1.3
    around, height = chance.uniform(count, high=2 * math.pi), chance.uniform(count, low=0.15, high=3.0)
    eye = torch.stack([far * around.cos(), far * around.sin(), height], -1)
    beside = chance.normal(count, 3, sd=0.22) * far[:, None] * constant((1.0, 1.0, 0.5), device)
    ahead = normalize(middle + beside - eye, dim=-1)
    up = constant((0.0, 0.0, 1.0), device).expand_as(ahead)
    right = normalize(torch.cross(ahead, up, dim=-1), dim=-1)
    return torch.stack([right, torch.cross(ahead, right, dim=-1), ahead], 1), eye


def _crops(image: Tensor, names: list[str], chance: Chance, kinds: Tensor | None) -> tuple[Tensor, Tensor]:
    """Crops and edges of views that see points (S, K, 2), in image coordinates.

    Returns:
        Matrices (S, 3, 3) from image coordinates to pixels of what is drawn, and edges (S, 3), see `Views`.
    """
    count, device = len(image), image.device
    kinds = torch.zeros(count, dtype=torch.long, device=device) if kinds is None else kinds
    closer = kinds > 0
    hips, shoulders = (
        (image[:, names.index(f"{name}_l")] + image[:, names.index(f"{name}_r")]) / 2
        for name in ("thigh", "upperarm")
    )
    trunk = hips - shoulders
    tilt = torch.atan2(-trunk[:, 0], trunk[:, 1])  # 0: the shoulders are above the hips in the picture
    astray = ((chance.uniform(count) < ASTRAY) & ~closer).float()
    turned_wrongly = torch.where(closer, TURNED, torch.where(astray > 0, TILT_ASTRAY, TILT))
    tilt = tilt + chance.normal(count) * turned_wrongly
    c, s = tilt.cos(), tilt.sin()
    upright = torch.stack([torch.stack([c, s], -1), torch.stack([-s, c], -1)], 1)
    turned = image @ upright.transpose(1, 2)
    boxed = tuple(tuple(is_any(name, held) for name in names) for held in (BOXED, *CLOSELY))
    placed, line = _cut(turned, constant(boxed[0], device), closer, chance)
    held = constant(boxed, device)[kinds][..., None]
    low = placed.masked_fill(~held, math.inf).amin(1)
    high = placed.masked_fill(~held, -math.inf).amax(1)
    wrong = torch.exp(chance.normal(count) * torch.where(closer, PLACED, 0.1 + 0.15 * astray))
    side = (high - low).amax(-1) * torch.where(closer, CLOSER, AROUND) * wrong + 0.02 * ~closer
    away = torch.where(closer, PLACED, 0.045 + 0.06 * astray) * side
    centre = (low + high) / 2 + chance.normal(count, 2) * away[:, None]
    zoom = FINE / side
    crop = torch.zeros(count, 3, 3, device=device)
    crop[:, :2, :2] = upright * zoom[:, None, None]
    crop[:, :2, 2] = (FINE - 1) / 2 - centre * zoom[:, None]
    crop[:, 2, 2] = 1
    # the line in pixels of the crop, through the point that was nearest to the crop's middle, a little askew
    askew = chance.normal(count, sd=TILT)
    along = torch.stack([-line[:, 1], line[:, 0]], -1)
    normal = askew.cos()[:, None] * line[:, :2] + askew.sin()[:, None] * along
    offset = ((line[:, :2] * centre).sum(-1) + line[:, 2]) * zoom / 2
    middle = torch.full_like(centre, (SIZE - 1) / 2) - line[:, :2] * offset[:, None]
    return crop, torch.cat([normal, -(normal * middle).sum(-1, keepdim=True)], -1)


def is_any(name: str, names: tuple[str, ...]) -> bool:
    """Whether a point is one of these names, of either side."""
    return name in names or name[:-2] in names


def _cut(points: Tensor, boxed: Tensor, closer: Tensor, chance: Chance) -> tuple[Tensor, Tensor]:
    """Points (S, K, 2) where crops take them to be that the image's edge cuts, and edges (S, 3).

    Detectors place what they do not see anywhere from where it is to the edge; closer crops take it to be a
    certain share of that way. `boxed` (K,) are the points by which it is told how much is cut.
    """
    count, device = len(points), points.device
    side = chance.integers(4, count)
    normal = constant((0.0, 1.0, 0.0, -1.0, 1.0, 0.0, -1.0, 0.0), device).reshape(4, 2)[side]
    along = (points * normal[:, None]).sum(-1)
    low, high = along[:, boxed].amin(1), along[:, boxed].amax(1)
    deep = chance.uniform(count, low=-0.1, high=DEEPEST) * (high - low)
    end = torch.where(chance.uniform(count) < CUT, high - deep, high + 10 * (high - low))
    beyond = (along - end[:, None]).clamp_min(0)
    drawn_in = torch.where(closer[:, None], DRAWN, 1 - chance.uniform(count, 1))
    return points - (beyond * drawn_in)[..., None] * normal[:, None], torch.cat([normal, -end[:, None]], -1)
