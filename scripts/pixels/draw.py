"""Who is drawn: bodies of grown people and what they wear."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from bodies import LANDMARKS, Base, Traits, landmarks_of, shape
from painted import Cut, draw_cuts

STATURE = (1.45, 1.98)
MAN, WOMAN = (1.75, 0.085), (1.63, 0.08)  # metres: mean and spread of statures drawn
SUITS = {
    "male": (*(f"male_casualsuit0{k}" for k in range(1, 7)), "male_elegantsuit01", "male_worksuit01"),
    "female": ("female_casualsuit01", "female_casualsuit02", "female_elegantsuit01", "female_sportsuit01"),
}
SHOES = tuple(f"shoes0{k}" for k in range(1, 7))
HAIR = {
    "male": ("short01", "short02", "short03", "short04", "afro01", "ponytail01", "long01"),
    "female": ("bob01", "bob02", "Braid01", "long01", "ponytail01", "short01", "short03", "afro01"),
}
# Worn by the people kept back, and by nobody else.
HELD = {"male_casualsuit05", "female_casualsuit02", "shoes03", "short02", "bob02"}
HATS = ("fedora", "fedora_cocked")
BROWS = tuple(f"eyebrow{k:03d}" for k in range(1, 13))
# Targets that change lengths and widths, and the spread of their weights; both feet alike.
LENGTHS = (
    ("torso/torso-scale-vert", 0.25),
    ("torso/torso-scale-horiz", 0.15),
    ("torso/measure-shoulder-dist", 0.06),
    ("hip/hip-scale-horiz", 0.15),
    ("legs/upperlegs-height", 0.25),
    ("legs/lowerlegs-height", 0.25),
    ("arms/measure-upperarm-length", 0.25),
    ("arms/measure-lowerarm-length", 0.25),
    ("head/head-scale-vert", 0.3),
    ("head/head-scale-horiz", 0.3),
    ("head/head-scale-depth", 0.3),
)
FEET = ("feet/{}-foot-scale", 0.3)


@dataclass(frozen=True)
class Body:
    """A drawn body: its traits and its shape (19158, 3), metres, z up."""

    traits: Traits
    vertices: np.ndarray


@dataclass(frozen=True)
class Outfit:
    """What somebody wears, by name; none where nothing.

    Attributes:
        suit: a suit, or none where `cuts` are worn.
        cuts: painted garments, with the seed of their patterns.
        shoes: shoes.
        hair: hair.
        hat: a hat.
        brows: eyebrows.
        skin: age, race and sex of the skin's texture.
        dark_eyes: brown eyes only.
        seed: of the choice among looks and of the patterns.
    """

    suit: str | None
    cuts: tuple[Cut, ...]
    shoes: str | None
    hair: str | None
    hat: str | None
    brows: str
    skin: str
    dark_eyes: bool
    seed: int

    def told(self) -> str:
        """The names, joined by spaces."""
        painted = [
            f"painted_{'top' if cut.sleeve is not None else 'skirt' if cut.skirt else 'legs'}"
            for cut in self.cuts
        ]
        names = [self.suit, *painted, self.shoes, self.hair, self.hat, self.brows, self.skin]
        return " ".join(name for name in names if name)


def _between(rng: np.random.Generator, spread: float) -> float:
    return float(np.clip(rng.normal(0.5, spread), 0.0, 1.0))


def draw_body(base: Base, rng: np.random.Generator) -> Body:
    """Draw a grown body of 25 to 75 years; its height target is found that gives a drawn stature."""
    woman = bool(rng.random() < 0.5)
    details = {}
    for name, spread in (*LENGTHS, FEET):
        amount = float(np.clip(rng.normal(0, spread), -2 * spread, 2 * spread))
        for side in "lr" if "{}" in name else "l":
            details[f"{name.format(side)}-{'incr' if amount > 0 else 'decr'}"] = abs(amount)
    traits = Traits(
        female=float(np.clip(1 - abs(rng.normal(0, 0.12)), 0.6, 1))
        if woman
        else float(np.clip(abs(rng.normal(0, 0.12)), 0, 0.4)),
        old=float(0.77 * rng.random() ** 1.3),
        muscle=_between(rng, 0.22),
        weight=_between(rng, 0.22),
        height=0.5,
        proportions=_between(rng, 0.25),
        cup=_between(rng, 0.2),
        firmness=_between(rng, 0.2),
        race=tuple(rng.dirichlet([0.5, 0.5, 0.5]).tolist()),
        details=details,
    )
    mean, spread = WOMAN if woman else MAN
    wanted = float(np.clip(rng.normal(mean, spread), *STATURE))
    heights, statures = np.linspace(0.15, 0.9, 4), []
    for height in heights:
        statures.append(_stature(base, shape(base, replace(traits, height=float(height)))))
    traits = replace(traits, height=float(np.interp(wanted, statures, heights)))
    vertices = shape(base, traits)
    return Body(traits, vertices * np.clip(wanted / _stature(base, vertices), 0.93, 1.07))


def _stature(base: Base, vertices: np.ndarray) -> float:
    top = landmarks_of(base, vertices)[list(LANDMARKS).index("head_top"), 2]
    return float(top - vertices[np.unique(base.faces["body"]), 2].min())


def draw_outfit(rng: np.random.Generator, traits: Traits, kept_back: bool) -> Outfit:
    """Draw what somebody wears; who is kept back wears what is HELD where it fits, and nobody else does."""
    woman = traits.female > 0.5
    own, other = ("female", "male") if woman else ("male", "female")
    sex = own if rng.random() < 0.9 else other

    def one(names: tuple[str, ...], held_share: float) -> str:
        free, held = [n for n in names if n not in HELD], [n for n in names if n in HELD]
        return str(rng.choice(held if held and kept_back and rng.random() < held_share else free))

    painted = rng.random() < (0.15 if kept_back else 0.4 if woman else 0.22)
    age = "young" if traits.old < 0.25 else "middleage" if traits.old < 0.55 else "old"
    race = ("african", "asian", "caucasian")[int(np.argmax(traits.race))]
    hair = one(HAIR[own], 0.6) if rng.random() < 0.9 else None
    return Outfit(
        suit=None if painted else one(SUITS[sex], 0.85),
        cuts=tuple(draw_cuts(rng, woman)) if painted else (),
        shoes=one(SHOES, 0.6) if rng.random() < 0.9 else None,
        hair=hair,
        hat=str(rng.choice(HATS)) if hair is None and rng.random() < 0.5 else None,
        brows=str(rng.choice(BROWS)),
        skin=f"{age}_{race}_{own}",
        dark_eyes=race != "caucasian",
        seed=int(rng.integers(2**31)),
    )
