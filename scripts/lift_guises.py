"""Batches for `fit_lifter.py`: what a detector would have seen of people, bodies and cameras that never were.

A detector's errors are read off the pairs: in the image, in extents of the person about a camera that looks
at him; of its 3D guess, in metres about that guess' own axes. They are put onto other truths: the pairs' own
poses with bones of other sizes, seen from a little elsewhere, or poses of motion capture before random
cameras. The latter take the errors of the pairs' stretches whose pose in the view, and the way it moves, is
most alike, one stretch faded into the next. All on the device of the data, so that nothing is copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from lift_chance import Chance, spoiled
from lift_errors import HIPS, SIZES, compose, described, errors_of, mixed, resized, rotated
from lift_torch import Seen, Truth

Tensor = torch.Tensor

LENGTH = 100  # frames
CHUNK, FADE = 20, 3  # frames of a transplanted stretch, and over which one fades into the next
APART = 8  # frames between the poses that are compared
ALIKE = 8  # nearest stretches, of which one is drawn
WARP = 0.3  # times faster or slower
BONES, AROUND, PAN, ROLL, FAR = 0.05, 0.10, 0.06, 0.06, 0.2  # standard deviations: share, rad, rad, rad, log
HABITS = (0.03, 0.03, 0.02, 0.02, 0.06)  # extents, metres of the guess: of errors that last
NEAREST = 0.4  # statures before the camera
LENS = 0.08  # logarithm of the focal length
TILT_KNOWN = 0.03  # rad to which a given direction of up is right


@dataclass(frozen=True)
class Recipe:
    """What batches are made of.

    motion: share of motion capture; changed: whether truths are; guessed: whether motion capture gets noise
    as one would guess it; up: share of the stretches in which up is given; habits: times HABITS, errors that
    last for a stretch, as another body might bring; grown: logarithm by which errors of a stretch are larger
    or smaller; bones, around: standard deviations of the changes.
    """

    motion: float = 0.4
    changed: bool = True
    guessed: bool = False
    up: float = 0.5
    habits: float = 0.0
    grown: float = 0.0
    bones: float = BONES
    around: float = AROUND


class Lessons:
    """The arrays of `lift_lessons.py` on a device, and random batches of them."""

    def __init__(self, arrays: Mapping[str, np.ndarray], recipe: Recipe, device: str, seed: int) -> None:
        self.recipe, self.device = recipe, device
        self.chance = Chance(device, seed)
        given = {k: torch.tensor(arrays[k]).to(device) for k in arrays}
        self.length = given["train_length"]
        self.start = torch.cumsum(self.length, 0) - self.length
        self.rotation, self.translation = given["train_rotation"], given["train_translation"]
        self.points, self.contact = given["train_points"], given["train_contact"].float()
        self.views = torch.nonzero(given["train_usable"])
        self.motion, self.motion_length = given["motion"], given["motion_length"]
        self.motion_start = torch.cumsum(self.motion_length, 0) - self.motion_length
        self.mirror = given["mirror"].long()
        self.point_mirror = torch.cat(
            [torch.arange(14, device=device).view(7, 2).flip(1).reshape(14), 14 + self.mirror]
        )
        self.errors = self._read_errors(given)
        self.bank, self.bank_at = self._bank()

    # -- drawing ----------------------------------------------------------------------------------------

    def batch(self, count: int) -> tuple[Seen, Truth]:
        """Return `count` stretches as a detector sees them, and the truth."""
        synthetic = round(self.recipe.motion * count)
        parts = [self._from_pairs(count - synthetic)] + ([self._from_motion(synthetic)] if synthetic else [])
        points, up, errors, contact, known = (torch.cat(column) for column in zip(*parts, strict=True))
        points, up, errors, contact = self._changed(points, up, errors, contact)
        seen = spoiled(compose(points, errors), self.mirror, self.chance)
        given = (self.chance.uniform(count) < self.recipe.up).float()[:, None]
        told = rotated(self.chance.turns(count, TILT_KNOWN), up[:, None])[:, 0] * given
        return Seen(seen[0], seen[1], seen[2], told, given[:, 0]), Truth(points, up, contact, known)

    def wrong_lens(self, seen: Seen) -> Seen:
        """The same through lenses that are taken for somewhat longer or shorter than they are."""
        by = torch.exp(LENS * self.chance.normal(len(seen.image)))
        return replace(seen, image=seen.image * by[:, None, None, None])

    def _from_pairs(self, count: int) -> tuple[Tensor, ...]:
        pick = self.views[self.chance.integers(len(self.views), count)]
        snippet, view = pick[:, 0], pick[:, 1]
        rows, part, inside = self._times(self.length[snippet], count)
        at = (self.start[snippet][:, None] + rows, self.start[snippet][:, None] + rows + 1)
        last = (self.start + self.length - 1)[snippet][:, None]
        at = tuple(torch.minimum(a, last) for a in at)
        points = mixed(self.points, at, part)
        points = (
            points @ self.rotation[snippet, view].mT[:, None] + self.translation[snippet, view][:, None, None]
        )
        mix = part[..., None, None]
        first, second = (self.errors[view[:, None], rows] for rows in at)
        errors = first * (1 - mix) + second * mix
        seen = torch.minimum(first[..., 5:], second[..., 5:])  # whoever is lost in one is lost between both
        errors = torch.cat([errors[..., :5], seen], dim=-1)
        contact = torch.where(inside[..., None] > 0, self.contact[at[0]], torch.nan)
        return points, self.rotation[snippet, view][..., 1], errors, contact, inside

    def _read_errors(self, given: Mapping[str, Tensor]) -> Tensor:
        """What views erred by (4, T, J, 6): in the image, of the guess; and their confidence."""
        image, world = given["train_image"].float(), given["train_world"].float()
        sight = given["train_confidence"].float()[..., None] / 255
        rows = torch.repeat_interleave(torch.arange(len(self.length), device=self.device), self.length)
        out = []
        for v in range(len(image)):
            points = self.points @ self.rotation[rows, v].mT + self.translation[rows, v][:, None]
            out.append(torch.cat([errors_of(points, image[v], world[v]), sight[v]], dim=-1))
        return torch.stack(out)

    def _from_motion(self, count: int) -> tuple[Tensor, ...]:
        clip = self.chance.integers(len(self.motion_length), count, self.motion_length.float())
        rows, part, inside = self._times(self.motion_length[clip], count)
        first, last = (
            self.motion_start[clip][:, None],
            (self.motion_start + self.motion_length - 1)[clip][:, None],
        )
        at = tuple(torch.minimum(first + rows + k, last) for k in (0, 1))
        points = mixed(self.motion.float(), at, part)
        points, up = self._filmed(points)
        contact = torch.full((*points.shape[:2], 4), torch.nan, device=self.device)
        if self.recipe.guessed:
            return points, up, self._guessed(points), contact, inside
        return points, up, self._transplanted(points, up), contact, inside

    def _filmed(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Put people before random cameras: points in camera axes, and up (B, 3) in them."""
        count = len(points)
        target = points[:, :, 6:8].mean(dim=(1, 2))
        azimuth, distance = 2 * np.pi * self.chance.uniform(count), 1.1 + 3.2 * self.chance.uniform(count)
        height = 0.15 + 1.45 * self.chance.uniform(count) ** 1.2
        eye = target + torch.stack(
            [azimuth.cos() * distance, -target[:, 1] + height, azimuth.sin() * distance], 1
        )
        ahead = target - eye
        ahead = ahead / ahead.norm(dim=1, keepdim=True)
        up = torch.tensor([0.0, 1.0, 0.0], device=self.device).expand(count, 3)
        down = -(up - (up * ahead).sum(1, keepdim=True) * ahead)
        down = down / down.norm(dim=1, keepdim=True)
        turn = torch.stack([torch.linalg.cross(down, ahead), down, ahead], dim=1)
        turn = self.chance.turns(count, 0.12) @ turn
        moved = (points - eye[:, None, None]) @ turn.mT[:, None]
        near = moved[..., 2].amin(dim=(1, 2))
        moved = (
            moved + torch.stack([near * 0, near * 0, (NEAREST + 0.3 - near).clamp(min=0)], 1)[:, None, None]
        )
        return moved, turn[..., 1]

    def _transplanted(self, points: Tensor, up: Tensor) -> Tensor:
        """Errors of the most alike stretches of the pairs."""
        count, frames = points.shape[:2]
        middle = torch.arange(CHUNK // 2, frames, CHUNK, device=self.device)
        looks = described(points, up)
        around = [looks[:, (middle + d).clamp(0, frames - 1)] for d in (-APART, 0, APART)]
        asked = torch.cat(around, dim=-1).reshape(count * len(middle), -1)
        far = torch.cdist(asked[None], self.bank[None])[0]
        nearest = far.topk(ALIKE, largest=False).indices
        drawn = nearest.gather(1, self.chance.integers(ALIKE, len(nearest))[:, None])[:, 0].view(
            count, len(middle)
        )
        source = self.bank_at[drawn]  # (B, chunks, 3): snippet, view, frame
        t = torch.arange(frames, device=self.device)
        here = (t // CHUNK).clamp(max=len(middle) - 1)
        other = (here + torch.where(t % CHUNK < CHUNK // 2, -1, 1)).clamp(0, len(middle) - 1)
        edge = torch.minimum(t % CHUNK, CHUNK - 1 - t % CHUNK).float()
        share = (0.5 + (edge + 0.5) / (2 * FADE)).clamp(max=1.0)
        both = [self._taken(source[:, k], t - middle[k]) for k in (here, other)]
        return both[0] * share[:, None, None] + both[1] * (1 - share)[:, None, None]

    def _taken(self, source: Tensor, off: Tensor) -> Tensor:
        """Errors of single frames, `off` from the frames of `source` (B, L, 3)."""
        snippet, view, frame = source.unbind(-1)
        rows = torch.minimum((frame + off).clamp(min=0), self.length[snippet] - 1) + self.start[snippet]
        return self.errors[view, rows]

    def _guessed(self, points: Tensor) -> Tensor:
        """Errors as one would guess them: white and lasting noise, no habits."""
        shape = (*points.shape[:2], 33, 5)
        scale = torch.tensor([0.05, 0.05, 0.03, 0.03, 0.08], device=self.device)
        lasting = self.chance.normal(points.shape[0], 1, 33, 5)
        noise = (self.chance.normal(*shape) * 0.6 + lasting * 0.8) * scale
        return torch.cat([noise, 0.6 + 0.4 * self.chance.uniform(*shape[:3], 1)], dim=-1)

    # -- changing ---------------------------------------------------------------------------------------

    def _changed(self, points: Tensor, up: Tensor, errors: Tensor, contact: Tensor) -> tuple[Tensor, ...]:
        count = len(points)
        if self.recipe.changed:
            sizes = torch.exp(self.recipe.bones * self.chance.normal(count, len(SIZES)))
            points = resized(points, sizes)
            middle = points[:, :, list(HIPS)].mean(dim=(1, 2))[:, None, None]
            turn = self.chance.turns(count, self.recipe.around)
            points = (points - middle) @ turn.mT[:, None] + middle
            up = rotated(turn, up[:, None])[:, 0]
            away = (torch.exp(FAR * self.chance.normal(count)) - 1).clamp(min=-0.4)[:, None, None, None]
            moved = points + away * middle
            points = torch.where(moved[..., 2].amin(dim=(1, 2))[:, None, None, None] > NEAREST, moved, points)
        if self.recipe.habits or self.recipe.grown:
            scale = self.recipe.habits * torch.tensor(HABITS, device=self.device)
            wrong = errors[..., :5] * torch.exp(self.recipe.grown * self.chance.normal(count, 1, 1, 1))
            wrong = wrong + scale * self.chance.normal(count, 1, errors.shape[2], 5)
            errors = torch.cat([wrong, errors[..., 5:]], dim=-1)
        pan = self.chance.turns(count, PAN, ROLL)
        points, up = points @ pan.mT[:, None], rotated(pan, up[:, None])[:, 0]
        flip = (self.chance.uniform(count) < 0.5)[:, None]
        sign = torch.tensor([-1.0, 1.0, 1.0], device=self.device)
        points = torch.where(flip[..., None, None], points[:, :, self.point_mirror] * sign, points)
        up = torch.where(flip, up * sign, up)
        signs = torch.tensor([-1.0, 1.0, -1.0, 1.0, 1.0, 1.0], device=self.device)
        errors = torch.where(flip[..., None, None], errors[:, :, self.mirror] * signs, errors)
        contact = torch.where(flip[..., None], contact[..., [2, 3, 0, 1]], contact)
        return points, up, errors, contact

    # -- small things -----------------------------------------------------------------------------------

    def _bank(self) -> tuple[Tensor, Tensor]:
        """What the pairs' frames look like (M, D), and where they are (M, 3): snippet, view, frame."""
        looks, where = [], []
        for snippet, view in self.views.tolist():
            start, length = int(self.start[snippet]), int(self.length[snippet])
            points = self.points[start : start + length]
            points = points @ self.rotation[snippet, view].mT + self.translation[snippet, view]
            look = described(points[None], self.rotation[snippet, view][None, :, 1])[0]
            t = torch.arange(length, device=self.device)
            looks.append(torch.cat([look[(t + d).clamp(0, length - 1)] for d in (-APART, 0, APART)], dim=-1))
            where.append(torch.stack([torch.full_like(t, snippet), torch.full_like(t, view), t], dim=1))
        return torch.cat(looks), torch.cat(where)

    def _times(self, length: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Frames (B, L) of stretches, what is missing to the next, and whether they are within the clips."""
        warped = self.chance.uniform(count) < 0.5
        pace = torch.where(
            warped, 1 - WARP + 2 * WARP * self.chance.uniform(count), torch.ones(count, device=self.device)
        )
        pace = torch.where(self.chance.uniform(count) < 0.1, 2 * pace, pace)
        room = (length - 1 - pace * (LENGTH - 1)).clamp(min=0)
        start = self.chance.uniform(count) * room
        start = torch.where(warped, start, start.floor())
        t = start[:, None] + pace[:, None] * torch.arange(LENGTH, device=self.device)
        inside = (t <= length[:, None] - 1).float()
        t = torch.minimum(t, (length - 1)[:, None].float())
        return t.floor().long(), t - t.floor(), inside
