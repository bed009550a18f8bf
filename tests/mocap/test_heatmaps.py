"""Heat maps: where points are, how far they may be off, and what else they may be."""

from __future__ import annotations

import numpy as np

from mocap.detect.heatmaps import CELL, FAR, LEAST, Reading, read_maps, weighed

CELLS = 64
SIZE = CELLS * CELL
NOWHERE = np.array([[1.0, 0.0, -1e4]])  # the image's edge, far away


def bumps(*places: tuple[float, float], sd: float = 0.8, shares: tuple[float, ...] = (1.0,)) -> np.ndarray:
    """Logits (1, 64, 64) whose likelihood is of round bumps at pixels (x, y) of the crop; sd in cells."""
    cells = (np.array(places) - (CELL - 1) / 2) / CELL
    x, y = (np.arange(CELLS)[:, None] - cells[:, a] for a in (0, 1))
    away = x[None] ** 2 + y[:, None] ** 2
    return np.log((shares * np.exp(-away / (2 * sd**2))).sum(axis=-1) + 1e-30)[None].astype(np.float32)


def axes(read: Reading) -> np.ndarray:
    """(K, 2) pixels that places may be off along both axes, the shorter first."""
    return np.exp(np.linalg.eigvalsh(read.ellipses()[:, [0, 2, 2, 1]].reshape(-1, 2, 2)))


def test_places_are_read_between_cells() -> None:
    for x, y in np.random.default_rng(0).uniform(20, SIZE - 20, (50, 2)):
        read = read_maps(bumps((x, y)))
        np.testing.assert_allclose(read.points()[0], (x, y), atol=0.1)
        assert (axes(read) >= LEAST - 1e-9).all() and (axes(read) < 1.5 * LEAST).all()
        assert read.cells[0] == round((y - 1.5) / CELL) * CELLS + round((x - 1.5) / CELL)


def test_every_map_is_read_for_itself_and_only_differences_count() -> None:
    one, other = bumps((40.0, 90.0)), bumps((200.0, 13.5), sd=2.0)
    both = read_maps(np.concatenate([one + 500, other - 500]))
    alone = [read_maps(a) for a in (one, other)]
    assert both.other_share.max() < 0.1
    for name in ("places", "scatter", "near", "share"):
        want = np.concatenate([getattr(a, name) for a in alone])
        np.testing.assert_allclose(getattr(both, name), want, atol=0.02)


def test_the_less_the_maps_say_the_wider_the_spread() -> None:
    widths = [axes(read_maps(bumps((128.0, 128.0), sd=sd)))[0] for sd in (0.3, 1.0, 2.0, 4.0, 8.0)]
    np.testing.assert_allclose(widths[0], LEAST)
    assert (np.diff(widths, axis=0) > 0).all()
    flat = axes(read_maps(np.zeros((1, CELLS, CELLS), np.float32)))[0]
    assert (flat > 30.0).all() and (flat > widths[-1]).all()


def test_two_places_give_an_ellipse_that_holds_both_and_both_are_told() -> None:
    first, second = (80.0, 120.0), (180.0, 140.0)
    read = read_maps(bumps(first, second, shares=(2.0, 1.0)))
    np.testing.assert_allclose(read.points()[0], first, atol=0.1)  # the likelier, not the middle
    np.testing.assert_allclose(CELL * read.other[0], np.subtract(second, first), atol=CELL / 2)
    np.testing.assert_allclose((read.share[0], read.other_share[0]), (2 / 3, 1 / 3), atol=0.01)
    x, y = np.divmod(read.other_cells[0], CELLS)[::-1]
    np.testing.assert_allclose((x * CELL + 1.5, y * CELL + 1.5), second, atol=CELL / 2)
    (least, most), (xx, yy, xy) = axes(read)[0], read.ellipses()[0]
    assert least < 1.5 * LEAST and most > 30
    np.testing.assert_allclose(0.5 * np.arctan2(2 * xy, xx - yy), np.arctan2(20.0, 100.0), atol=0.05)
    assert (read.near[0, :2] < 1.0).all()  # what is near knows nothing of the other


def test_numbers_tell_how_far_within_the_image_a_point_is() -> None:
    read = read_maps(np.concatenate([bumps((60.0, 128.0)), bumps((140.0, 128.0))]))

    def told(*edges: tuple[float, float, float]) -> np.ndarray:
        return read.numbers(np.array(edges))[:, -1]

    np.testing.assert_allclose(told((1.0, 0.0, -150.0)), 1 - np.array([90.0, 10.0]) / (FAR / 2), atol=0.01)
    np.testing.assert_allclose(told((1.0, 0.0, -100.0)), (1 - 40.0 / (FAR / 2), 1.0), atol=0.01)
    np.testing.assert_allclose(
        told((1.0, 0.0, -1e4), (-1.0, 0.0, 50.0)), 1 - np.array([10.0, 90.0]) / 50, atol=0.01
    )
    np.testing.assert_allclose(told((1.0, 0.0, -1e4)), -1.0)


def test_numbers_are_of_the_size_of_one() -> None:
    rng = np.random.default_rng(3)
    noise = 3 * rng.standard_normal((40, CELLS, CELLS)).astype(np.float32)
    sharp = np.concatenate([bumps(tuple(at), sd=0.3) for at in rng.uniform(0, SIZE, (40, 2))])
    for maps in (noise, sharp, np.zeros_like(noise)):
        numbers = read_maps(maps).numbers(NOWHERE)
        assert numbers.shape == (40, 13) and numbers.dtype == np.float32
        assert np.isfinite(numbers).all() and np.abs(numbers).max() < 8


def test_of_two_places_the_one_that_was_expected_is_taken() -> None:
    left, right = (60.0, 100.0), (180.0, 100.0)
    maps = bumps(left, right, shares=(0.4, 0.6))
    assert read_maps(maps).points()[0, 0] > 170
    near_left = read_maps(weighed(maps, np.array([[70.0, 110.0, 25.0]])))
    np.testing.assert_allclose(near_left.points()[0], left, atol=0.5)
    assert axes(near_left)[0, 1] < axes(read_maps(maps))[0, 1] / 1.5


def test_what_is_seen_plainly_is_believed_wherever_it_was_expected() -> None:
    maps = bumps((60.0, 100.0))
    far = read_maps(weighed(maps, np.array([[400.0, -90.0, 10.0]])))
    np.testing.assert_allclose(far.points(), read_maps(maps).points(), atol=1e-3)


def test_what_is_seen_plainly_elsewhere_outweighs_a_shade_of_what_was_expected() -> None:
    """A solve may have taken a limb for another's; then it is not to be seen where that lies."""
    there, elsewhere = (180.0, 100.0), (60.0, 100.0)
    maps = bumps(there, elsewhere, shares=(0.97, 0.03))
    found = read_maps(weighed(maps, np.array([[*elsewhere, 25.0]])))
    np.testing.assert_allclose(found.points()[0], there, atol=0.5)
    maps = bumps(there, elsewhere, shares=(0.8, 0.2))
    found = read_maps(weighed(maps, np.array([[*elsewhere, 25.0]])))
    np.testing.assert_allclose(found.points()[0], elsewhere, atol=0.5)


def test_what_is_expected_nowhere_changes_nothing() -> None:
    maps = np.concatenate([bumps((60.0, 100.0)), bumps((200.0, 13.5), sd=2.0)])
    expected = np.array([[np.nan, 5.0, 2.0], [200.0, 13.5, 8.0]])
    found = weighed(maps, expected)
    np.testing.assert_array_equal(found[0], maps[0])
    assert (found[1] < maps[1] + 0.1).all() and (found[1] < maps[1] - 1).any()
