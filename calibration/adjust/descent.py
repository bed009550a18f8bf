"""Steps downhill, damped as far as needed.

Source: Marquardt 1963, "An algorithm for least-squares estimation of nonlinear parameters".
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-4, 1e-9, 1e6


class Equations(Protocol):
    """Normal equations about a state."""

    def step(self, damping: float) -> tuple[Array, Array]:
        """Steps of the unknowns that all share, and of those that are eliminated."""


State = TypeVar("State")
System = TypeVar("System", bound=Equations)
_Linear = TypeVar("_Linear", bound=Equations, covariant=True)


class Problem(Protocol[State, _Linear]):
    """What is to become least, over states."""

    def cost(self, state: State) -> float:
        """Half the robust sum of squares, with the priors."""

    def linearise(self, state: State) -> _Linear:
        """Normal equations about a state."""

    def moved(self, state: State, shared: Array, own: Array) -> State:
        """The state after the steps that `Equations.step` gives."""


def descend(
    problem: Problem[State, System], state: State, steps: int, tolerance: float
) -> tuple[State, System, float]:
    """Go downhill until the cost hardly falls any more, or no step makes it fall.

    Args:
        problem: what is to become least.
        state: where to start.
        steps: at most.
        tolerance: relative decrease of the cost at which it ends.

    Returns:
        The state, the normal equations about it, and its cost.
    """
    cost, damping, system = problem.cost(state), _FIRST_DAMPING, problem.linearise(state)
    for _ in range(steps):
        trial = problem.moved(state, *system.step(damping))
        after = problem.cost(trial)
        if after < cost:
            done = cost - after <= tolerance * cost
            state, cost, damping = trial, after, max(damping / 5, _LEAST_DAMPING)
            system = problem.linearise(state)
            if done:
                break
        elif damping >= _MOST_DAMPING:
            break
        else:
            damping *= 8
    return state, system, cost
