"""Rooms with things in them, light and colours by chance, as `shade.cu` reads them."""

from __future__ import annotations

import math

import torch
from chance import Chance
from torch.nn.functional import normalize

Tensor = torch.Tensor

ROOM, BOXES, FIRST_BOX = 64, 5, 24  # numbers of a room; things in it, and where their numbers begin
OUTSIDE = 0.35  # how often a flat picture is behind instead of a room
KINDS = 8  # of faces, see `people.py`
SKIN, HAIR, EYES = 0, 3, 4
NOWHERE = (-9.5, -9.0)  # metres, below any floor: low and high end of a thing that is not there


def draw_light(chance: Chance, count: int) -> Tensor:
    """(S, 16) a sun, a sky, what the ground throws back, and a weak second light."""
    up = chance.uniform(count, 1, low=0.25, high=1.0)
    around = chance.uniform(count, 1, high=2 * math.pi)
    level = (1 - up**2).sqrt()
    sun = torch.cat([level * around.cos(), level * around.sin(), up], -1)
    red, green = 1 + chance.normal(count, 1, sd=0.08), torch.ones(count, 1, device=chance.device)
    colour = torch.cat([red, green, 1 + chance.normal(count, 1, sd=0.12)], -1)
    bright = chance.uniform(count, 1, low=0.25, high=1.1)
    share = chance.uniform(count, 1, low=0.05, high=0.9)
    sky = torch.ones(count, 3, device=chance.device) + chance.normal(count, 3, sd=0.06)
    ground = sky * chance.uniform(count, 1, low=0.25, high=0.9)
    second = normalize(chance.normal(count, 3), dim=-1)
    strength = chance.uniform(count, 1, high=0.35)
    around_us = [light * bright * (1 - share) for light in (sky, ground)]
    return torch.cat([sun, colour * bright * share * 1.3, *around_us, second, strength], -1).contiguous()


def draw_rooms(chance: Chance, eye: Tensor, textures: int) -> Tensor:
    """(S, 64) rooms that hold the person, at the origin, and the camera.

    Args:
        chance: draws.
        eye: (S, 3) where the cameras are.
        textures: how many there are to choose from.
    """
    count, device = len(eye), eye.device
    room, zero = torch.zeros(count, ROOM, device=device), torch.zeros(count, device=device)
    for k in range(2):
        room[:, k] = torch.minimum(eye[:, k], zero) - chance.uniform(count, low=1.0, high=4.5)
        room[:, 3 + k] = torch.maximum(eye[:, k], zero) + chance.uniform(count, low=1.0, high=4.5)
    room[:, 5] = torch.maximum(eye[:, 2], zero + 2.2) + chance.uniform(count, low=0.1, high=3)
    room[:, 6:12] = chance.integers(textures, count, 6).float()
    room[:, 12] = _scale(chance, count, 0.15, 1.5)
    room[:, 13] = (chance.uniform(count) < OUTSIDE).float()
    room[:, 14] = chance.integers(textures, count).float()
    room[:, 15] = chance.uniform(count, high=2 * math.pi)
    room[:, 16] = _scale(chance, count, 0.3, 3.0)
    for number in range(BOXES):
        start = FIRST_BOX + 8 * number
        room[:, start : start + 8] = _box(chance, eye, textures)
    return room


def _box(chance: Chance, eye: Tensor, textures: int) -> Tensor:
    """(S, 8) something that stands on the floor, or is not there: corners, texture and its scale.

    What stands before the person hides it: only some things do, and they do not hide all of it.
    """
    count = len(eye)
    around, away = chance.uniform(count, high=2 * math.pi), chance.uniform(count, low=0.5, high=3.5)
    half = chance.uniform(count, 2, low=0.08, high=0.5)
    middle = torch.stack([away * around.cos(), away * around.sin()], -1)
    top = chance.uniform(count, low=0.15, high=1.9)
    to_eye = normalize(eye[:, :2], dim=-1)
    along = (middle * to_eye).sum(-1)
    aside = (middle - to_eye * along[:, None]).norm(dim=-1)
    hides = (along > -0.2) & (aside < 0.75)
    top = torch.where(hides, top * 0.4, top)
    there = (chance.uniform(count) < 0.5) & (~hides | (chance.uniform(count) < 0.25))
    low, high = (
        torch.where(there, real, torch.full_like(top, nowhere))
        for real, nowhere in zip((torch.zeros_like(top), top), NOWHERE, strict=True)
    )
    texture = chance.integers(textures, count).float()
    columns = [middle - half, low[:, None], middle + half, high[:, None], texture[:, None]]
    return torch.cat([*columns, _scale(chance, count, 0.3, 2.5)[:, None]], -1)


def draw_tints(chance: Chance, count: int) -> Tensor:
    """(I, 8, 4) colours of each kind of face and how much of them: little on skin and eyes."""
    colour = chance.uniform(count, KINDS, 3) ** 1.5
    strength = chance.uniform(count, KINDS) * (chance.uniform(count, KINDS) < 0.6)
    for kind, much in ((SKIN, 0.12), (EYES, 0.12), (HAIR, 0.5)):
        strength[:, kind] *= much
    return torch.cat([colour, strength[..., None]], -1).contiguous()


def _scale(chance: Chance, count: int, low: float, high: float) -> Tensor:
    """(S,) evenly in the logarithm."""
    return torch.exp(chance.uniform(count, low=math.log(low), high=math.log(high)))
