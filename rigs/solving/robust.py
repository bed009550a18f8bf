"""Costs that an outlier cannot raise without bound."""

from __future__ import annotations

from rigs.solving.body import Floats


def robust_cost(square: Floats, scale: float) -> Floats:
    """Geman-McClure: s^2 r^2 / (s^2 + r^2) for squared residuals `square`; grows to s^2 and no further."""
    return scale**2 * square / (scale**2 + square)


def robust_weight(square: Floats, scale: float) -> Floats:
    """Weight of a residual under Geman-McClure, 1 at zero (Geman and McClure 1987)."""
    return (scale**2 / (scale**2 + square)) ** 2
