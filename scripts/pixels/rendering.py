"""Posed people drawn in rooms: what the functions of `raster.cu` and `shade.cu` are called with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from cast import People
from chance import Chance, constant
from framing import FINE, Views
from raster import NOTHING, Kernels
from rooms import draw_light, draw_rooms, draw_tints
from torch.nn.functional import avg_pool2d, normalize

Tensor = torch.Tensor

SHADOW = 320  # pixels of the shadow's buffer
WIDE = 2.6  # metres that it spans


@dataclass(frozen=True)
class Instances:
    """I people in pictures.

    Attributes:
        person: (I,) who of the file.
        picture: (I,) which picture each is in.
        slot: (I,) 0 for the person whom the picture shows, from 1 on for others near.
        bones: (I, 52, 3, 4) from where things are at rest to the world.
    """

    person: Tensor
    picture: Tensor
    slot: Tensor
    bones: Tensor


class Renderer:
    """Draws pictures; rooms, light and colours are drawn by chance for each.

    Args:
        people: whom the instances are.
        bank: (N, 256, 256, 3) textures of rooms.
        chance: draws.
    """

    def __init__(self, people: People, bank: Tensor, chance: Chance) -> None:
        self.people, self.bank, self.chance = people, bank, chance
        self.run = Kernels(chance.device)
        self.most_vertices, self.most_faces = people.most_vertices, people.most_faces

    def draw(self, instances: Instances, views: Views, points: Tensor) -> Tensor:
        """Pictures (S, 3, 256, 256), 0..1.

        Args:
            instances: who is in them.
            views: of the pictures.
            points: (S, K, 3) of the persons shown; the shadow's buffer is put about them.
        """
        people, count, device = self.people, len(points), points.device
        who, stride = instances.person.int(), self.most_vertices
        world = torch.zeros(len(who), stride, 3, device=device)
        normal = torch.zeros_like(world)
        self.run("skin", len(who) * stride, people.vertices, people.first_vertex, people.skin_joint,
                 people.skin_weight, who, instances.bones, stride, world)  # fmt: skip
        self.run("normals", len(who) * self.most_faces, people.faces, people.first_face, who, self.most_faces,
                 stride, world, normal)  # fmt: skip
        light = draw_light(self.chance, count)
        room = draw_rooms(self.chance, views.eye, len(self.bank))
        tint = draw_tints(self.chance, len(who))
        towards = _sunwards(light[:, :3], points.mean(1))
        shadow, _ = self._depths(instances, world, count, towards, SHADOW, flat=True)
        buffer, screen = self._depths(instances, world, count, views.matrix, FINE)
        slots = int(instances.slot.max()) + 1
        instance_of = torch.zeros(count, slots, dtype=torch.int32, device=device)
        numbers = torch.arange(len(who), dtype=torch.int32, device=device)
        instance_of[instances.picture, instances.slot.long()] = numbers
        image = torch.empty(count, FINE, FINE, 3, device=device)
        self.run("shade", count * FINE * FINE, people.faces, people.first_face, people.uv, people.texture,
                 people.kind, people.textures, who, instance_of, slots, tint, stride, normal, screen, buffer,
                 FINE, views.rays, room, light, self.bank, shadow, SHADOW, towards, image)  # fmt: skip
        return avg_pool2d(image.permute(0, 3, 1, 2), 2).clamp(0, 1).sqrt()

    def _depths(
        self, instances: Instances, world: Tensor, count: int, matrix: Tensor, size: int, flat: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Depth buffers (S, size, size), and where vertices lie in them (I, V, 3); flat: no perspective."""
        people, stride = self.people, self.most_vertices
        who, picture, slot = (a.int() for a in (instances.person, instances.picture, instances.slot))
        buffer = torch.full((count, size, size), NOTHING, dtype=torch.int64, device=world.device)
        screen = torch.zeros_like(world)
        self.run("project", len(who) * stride, picture, matrix, int(flat), stride, world, screen)
        self.run("raster", len(who) * self.most_faces, people.faces, people.first_face, people.uv,
                 people.texture, people.kind, people.textures, who, picture, slot, self.most_faces, stride,
                 screen, int(flat), size, buffer)  # fmt: skip
        return buffer, screen


def _sunwards(sun: Tensor, centre: Tensor) -> Tensor:
    """(S, 3, 4) world to the shadow's buffer, about points (S, 3), seen from the sun's direction (S, 3)."""
    device = sun.device
    other = constant((0.3, 0.9, 0.1), device).expand_as(sun)
    side = normalize(torch.cross(sun, other, dim=-1), dim=-1)
    axes = torch.stack([side, torch.cross(sun, side, dim=-1), -sun], 1)
    axes = axes * constant((SHADOW / WIDE, SHADOW / WIDE, 1.0), device)[:, None]
    middle = constant((SHADOW / 2, SHADOW / 2, 5.0), device)
    offset = middle - (axes @ centre[..., None])[..., 0]
    return torch.cat([axes, offset[..., None]], -1).contiguous()
