"""Random scenes of dressed people: crops of pictures, with the true places of joint centres in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from backdrops import bank
from cast import read_people
from chance import Chance
from framing import draw_views
from posing import Poses
from rendering import Instances, Renderer

Tensor = torch.Tensor

ALSO = 0.25  # in what share of the pictures somebody else stands near


@dataclass(frozen=True)
class Pictures:
    """Crops with what is to be found in them.

    Attributes:
        image: (S, 3, 256, 256) red, green, blue, 0..1.
        points: (S, 40, 2) px.
        before: (S, 40) whether a point is before the camera; it may be hidden, and beyond the crop.
        edge: (S, 3) where the camera's image ends, see `framing.Views`.
    """

    image: Tensor
    points: Tensor
    before: Tensor
    edge: Tensor


class Scenes:
    """People, poses, rooms and light by chance; `draw(count)` gives pictures.

    Args:
        people: file of `people.py`.
        poses: file of `poses.py`.
        split: 0 = people and poses to learn from, 1 = those kept back.
        device: where everything lives.
        seed: of all that is drawn.
        shares: how often each of `framing.KINDS` of crops is cut, to one another.

    Attributes:
        targets: names of the 40 points.
        chance: what everything is drawn by.
    """

    def __init__(
        self,
        people: Path,
        poses: Path,
        split: int,
        device: torch.device,
        seed: int,
        shares: tuple[float, ...] = (1.0,),
    ) -> None:
        self.chance = Chance(device, seed)
        self.people = read_people(people, split, device)
        self.poses = Poses(poses, split, self.people, self.chance)
        self.targets = self.poses.targets
        textures = torch.as_tensor(bank(np.random.default_rng(seed))).to(device)
        self.renderer = Renderer(self.people, textures, self.chance)
        self.shares = torch.tensor(shares, device=device)

    @property
    def device(self) -> torch.device:
        """Where everything lives."""
        return self.chance.device

    def draw(self, count: int) -> Pictures:
        """Pictures of one person each; in a fourth of them somebody else stands near."""
        chance, who, device = self.chance, self.people.who, self.device
        also = torch.arange(round(ALSO * count), device=device)
        picture = torch.cat([torch.arange(count, device=device), also])
        slot = torch.cat([torch.zeros(count, device=device), torch.ones(len(also), device=device)])
        person = who[chance.integers(len(who), len(picture))]
        posed = self.poses.draw(person)
        shift = posed.to_the_middle(self.people.soles(person, posed.bones(self.people.joints[person])))
        angle = chance.uniform(len(also), high=2 * math.pi)
        away = chance.uniform(len(also), low=0.35, high=1.6)
        shift[count:, 0] += away * angle.cos()
        shift[count:, 1] += away * angle.sin()
        posed = posed.moved(shift)
        points = self.poses.points(posed)[:count]
        kinds = torch.multinomial(self.shares, count, replacement=True, generator=chance.generator)
        views = draw_views(points, self.targets, chance, kinds)
        bones = posed.bones(self.people.joints[person])
        image = self.renderer.draw(Instances(person, picture, slot, bones), views, points)
        return Pictures(image, *views.crop_pixels(points), views.edge)
