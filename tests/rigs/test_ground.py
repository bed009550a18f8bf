"""The floor term: its gradient, and what it feels."""

import numpy as np
import pytest

from rigs import quat
from rigs.solving.body import load_body
from rigs.solving.ground import Ground, soles
from rigs.solving.kinematics import Chain, Pose, locate
from rigs.solving.normal import Normal

STATURE = 1.7


def standing(frames: int, lift: float = 0.0) -> tuple[Chain, Pose, np.ndarray]:
    body = load_body()
    chain, sizes = Chain(body), np.full(len(body.size_names), STATURE)
    pose = Pose(np.zeros((frames, 3)), quat.identity(frames, len(body.names)))
    points, heights = soles(body, STATURE)
    low = (locate(chain.place(pose, sizes), points)[..., 1] - heights).min()
    pose.root[:, 1] += lift - low
    return chain, pose, sizes


def test_the_gradient_is_that_of_the_cost() -> None:
    chain, pose, sizes = standing(3, lift=0.02)
    rng = np.random.default_rng(1)
    pose = chain.move(pose, rng.normal(0, 0.05, (3, chain.freedoms)))
    term = Ground(*soles(chain.body, STATURE))
    normal = Normal(3, chain.freedoms, len(sizes))
    term.add(chain.place(pose, sizes), normal)
    step, tiny = rng.normal(size=(3, chain.freedoms)), 1e-6
    ahead, behind = (term.cost(chain.place(chain.move(pose, s * tiny * step), sizes)) for s in (1, -1))
    assert (normal.gradient * step).sum() == pytest.approx((ahead - behind) / (2 * tiny), rel=1e-5)
    grow = rng.normal(size=len(sizes))
    ahead, behind = (term.cost(chain.place(pose, sizes + s * tiny * grow)) for s in (1, -1))
    assert normal.size_gradient @ grow == pytest.approx((ahead - behind) / (2 * tiny), rel=1e-5)


def test_feet_on_the_floor_feel_little_and_feet_in_the_air_nothing() -> None:
    pull = []
    for lift in (0.0, 0.03, 1.0):
        chain, pose, sizes = standing(1, lift)
        normal = Normal(1, chain.freedoms, 0)
        Ground(*soles(chain.body, STATURE)).add(chain.place(pose, sizes), normal)
        pull.append(normal.gradient[0, 1])
    near, off, air = pull
    assert off > 5 * abs(near)
    assert abs(air) < 0.01 * off
