"""Whether two sets of cameras are the same, and how tests write files."""

from __future__ import annotations

import textwrap

import numpy as np

from calibration import Cameras
from tests.calibration.synthetic import people


def write(path, text: str):
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def assert_same(found: Cameras, expected: Cameras) -> None:
    """Names, sizes, models, and every pixel of a cloud of points."""
    assert found.names == expected.names
    assert [(c.size, c.model) for c in found] == [(c.size, c.model) for c in expected]
    points = people(np.random.default_rng(0), 30)
    np.testing.assert_allclose(found.project(points), expected.project(points), atol=1e-6)
    np.testing.assert_allclose([c.centre for c in found], [c.centre for c in expected], atol=1e-9)


def assert_equal(found: Cameras, expected: Cameras) -> None:
    """Every number, to 1e-9 of it; coefficients that are not written are zero."""
    assert_same(found, expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.K, b.K, rtol=1e-12)
        np.testing.assert_allclose(a.camera_from_world, b.camera_from_world, rtol=1e-9, atol=1e-14)
        np.testing.assert_array_equal(eight(a.distortion), eight(b.distortion))


def eight(coefficients: np.ndarray) -> np.ndarray:
    return np.append(coefficients, np.zeros(8 - len(coefficients)))
