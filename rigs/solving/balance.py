"""Balance: whoever stands has the point over which the weight acts between the feet that carry it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d

from rigs.solving.body import Body, Bools, Floats
from rigs.solving.evidence import add_joined, summed
from rigs.solving.ground import soles
from rigs.solving.kinematics import Points, Posed, locate
from rigs.solving.normal import Normal
from rigs.solving.robust import robust_cost, robust_weight

LEVEL = [0, 2]  # world axes along the floor
GRAVITY = 9.81  # m/s^2
SMOOTH = 0.1  # seconds, of the accelerations
# Shares of the body's mass, and where they act between the joints of a segment: de Leva (1996), both sexes;
# the trunk's with head and neck, between the middles of hips and shoulders.
LIMBS = {
    ("Arm", "ForeArm"): (0.026, 0.58),
    ("ForeArm", "Hand"): (0.015, 0.46),
    ("Hand", "Hand"): (0.006, 0.0),
    ("UpLeg", "Leg"): (0.145, 0.39),
    ("Leg", "Foot"): (0.046, 0.44),
    ("Foot", "ToeBase"): (0.013, 0.5),
}
TRUNK = 0.65  # of the way from the hips' middle to the shoulders' at which trunk and head act


def masses(body: Body) -> dict[str, float]:
    """Return the share of the body's mass that acts at each joint; their mean is the centre of mass."""
    out = dict.fromkeys(body.names, 0.0)
    for side in ("Left", "Right"):
        for (near, far), (share, where) in LIMBS.items():
            out[side + near] += share * (1 - where)
            out[side + far] += share * where
    rest = (1 - sum(out.values())) / 2
    for side in ("Left", "Right"):
        out[side + "UpLeg"] += rest * (1 - TRUNK)
        out[side + "Arm"] += rest * TRUNK
    return out


@dataclass
class Balance:
    """The weight acts between the soles that stand, as far as what was solved before tells its accelerations.

    body, stature (m): of the person; before: an earlier solve, posed; stands: (T, 4) which points of
    `rigs.solving.ground.soles` stand; fps: frames a second; sd: metres; scale: robust scale in deviations;
    frame_weight: see `rigs.solving.terms`.

    Source: the zero moment point of Vukobratovic and Borovac (2004), of an inverted pendulum.
    """

    body: Body
    stature: float
    before: Posed
    stands: Bools
    fps: float
    sd: float
    scale: float
    frame_weight: float = 1.0
    points: Points = field(init=False)
    mass: Floats = field(init=False)  # (N,)
    ahead: Floats = field(init=False)  # (T, 2) m by which the weight acts elsewhere than below the centre

    def __post_init__(self) -> None:
        under, _ = soles(self.body, self.stature)
        heavy = [(self.body.index(name), share) for name, share in masses(self.body).items() if share > 0]
        joints = np.array([joint for joint, _ in heavy])
        flat = np.zeros((len(joints), len(self.body.names), 3))
        self.points = Points(
            np.concatenate([joints, under.joint]), np.concatenate([flat, under.offsets], axis=0)
        )
        self.mass = np.array([share for _, share in heavy] + [0.0] * len(under))
        where = locate(self.before, self.points)
        centre = np.einsum("tni,n->ti", where, self.mass)
        height = centre[:, 1] - where[:, -4:, 1].min(axis=1)
        pull = gaussian_filter1d(centre, SMOOTH * self.fps, axis=0, order=2, mode="nearest") * self.fps**2
        self.ahead = -(height / GRAVITY)[:, None] * pull[:, LEVEL]

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared distances from the feet that carry, in deviations."""
        off, _, carried = self._off(posed)
        square = (off**2).sum(axis=1)
        return 0.5 * self.frame_weight * float(robust_cost(square, self.scale)[carried].sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Gauss-Newton; which point between the feet is nearest does not matter to the first order."""
        off, share, carried = self._off(posed)
        weight = self.frame_weight * robust_weight((off**2).sum(axis=1), self.scale) * carried
        rows = summed(posed, self.points, normal, share[None])[0][:, LEVEL] / self.sd
        heavy = rows * weight[:, None, None]
        add_joined(rows.swapaxes(1, 2) @ heavy, np.einsum("tid,ti->td", heavy, off), normal)

    def _off(self, posed: Posed) -> tuple[Floats, Floats, Bools]:
        """Distances (T, 2) in deviations, shares (T, N) of points in them, whether anything carries (T,)."""
        where = locate(posed, self.points)
        acts = np.einsum("tni,n->ti", where, self.mass)[:, LEVEL] + self.ahead
        feet = self.stands.reshape(-1, 2, 2).swapaxes(1, 2)  # (T, side, ball and heel)
        stand = feet.any(axis=2)
        # A foot carries somewhere along its length: its middle will do, as the deviation is as long.
        under = where[:, -4:, LEVEL].reshape(-1, 2, 2, 2).swapaxes(1, 2).mean(axis=2)
        left, right = under[:, 0], under[:, 1]
        line = right - left
        part = ((acts - left) * line).sum(axis=1) / np.maximum((line**2).sum(axis=1), 1e-9)
        part = np.where(stand[:, 0] & stand[:, 1], np.clip(part, 0.0, 1.0), stand[:, 1].astype(float))
        foot = np.stack([1 - part, part], axis=1)  # (T, side)
        share = np.tile(self.mass, (len(where), 1))
        share[:, -4:] = -np.tile(foot, (1, 2)) / 2
        off = acts - (under * foot[..., None]).sum(axis=1)
        return off / self.sd, share, stand.any(axis=1)
