"""Keypoints that a network moves: laws for any weights, and the weights that come with the package."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from mocap import refiner
from mocap import weights as package_weights
from mocap.errors import MocapError
from mocap.keypoints import Keypoints2D, load_layout
from mocap.refiner import (
    DILATIONS,
    SPREAD,
    Network,
    Stretch,
    load_refiner,
    network_of,
    refine_keypoints,
    refine_views,
)

LAYOUT = load_layout("blazepose33")
FEATURES, HIDDEN, MIDDLE = 33 * (2 + 1 + 3 + 8) + 4, 12, 9


def some_arrays(seed=0, last=1.0):
    rng = np.random.default_rng(seed)

    def weights(*shape):
        return rng.normal(size=shape) / np.sqrt(shape[0])

    arrays = {"mean": weights(FEATURES), "deviation": np.ones(FEATURES)}
    arrays |= {"first": weights(FEATURES, HIDDEN), "first_bias": weights(HIDDEN)}
    arrays |= {"last": last * weights(HIDDEN, 99), "last_bias": last * weights(99)}
    for k in range(len(DILATIONS)):
        arrays |= {f"wide{k}": weights(3 * HIDDEN, MIDDLE), f"wide_bias{k}": weights(MIDDLE)}
        arrays |= {f"back{k}": weights(MIDDLE, HIDDEN), f"back_bias{k}": weights(HIDDEN)}
    return {name: array[None] for name, array in arrays.items()}


def some_network(seed=0, last=1.0):
    return network_of(some_arrays(seed, last))


def a_view(frames=50, fps=30.0, people=1, seed=1):
    """Somebody who drifts through the image, with noise; frame 7 is empty."""
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(33, 3)) * 0.3
    drift = np.linspace(0, 100, frames)[:, None, None, None] * np.array([1.0, 0.3])
    points = 300 + 200 * shape[:, :2] + drift + rng.normal(size=(frames, people, 33, 2)) * 3
    confidence = rng.uniform(0.2, 1.0, size=(frames, people, 33))
    world = shape + rng.normal(size=(frames, people, 33, 3)) * 0.02
    points[7], confidence[7], world[7] = np.nan, 0.0, np.nan
    return Keypoints2D(LAYOUT, points, confidence, np.arange(frames) / fps, (720, 540), world)


def in_mirror(view):
    points = (view.points * np.array([-1.0, 1.0]) + np.array([719.0, 0.0]))[:, :, LAYOUT.mirror]
    world = view.world[:, :, LAYOUT.mirror] * np.array([-1.0, 1.0, 1.0])
    return replace(view, points=points, confidence=view.confidence[:, :, LAYOUT.mirror], world=world)


def test_a_network_that_says_nothing_changes_nothing():
    view = a_view()
    same = refine_keypoints(view, some_network(last=0.0))
    np.testing.assert_allclose(same.points, view.points)
    one = Stretch(view.points[:, 0], view.confidence[:, 0], view.world[:, 0], view.size, 1 / 30)
    _, radius = one.box()
    known = np.isfinite(same.spread[:, 0]).all(axis=1)
    np.testing.assert_allclose(same.spread[known, 0], np.repeat(SPREAD * radius[known, None], 33, axis=1))


def test_a_mirrored_view_is_refined_to_the_mirrored_points():
    view, network = a_view(), some_network()
    there, here = in_mirror(refine_keypoints(view, network)), refine_keypoints(in_mirror(view), network)
    assert np.nanmax(np.abs(refine_keypoints(view, network).points - view.points)) > 1
    np.testing.assert_allclose(here.points, there.points, atol=1e-3)
    straight = refine_keypoints(view, network).spread
    np.testing.assert_allclose(here.spread, straight[:, :, LAYOUT.mirror], rtol=1e-4)


def test_exchanged_sides_stay_exchanged_and_are_refined_as_if_they_were_not():
    view, network = a_view(), some_network()
    straight, change = refine_keypoints(view, network), []
    for values in (view.points, view.confidence, view.world):
        change.append(values.copy())
        change[-1][20:26] = values[20:26][:, :, LAYOUT.mirror]
    points, confidence, world = change
    swapped = refine_keypoints(replace(view, points=points, confidence=confidence, world=world), network)
    np.testing.assert_allclose(swapped.points[20:26, 0, LAYOUT.mirror], straight.points[20:26, 0], atol=1e-3)


def test_frames_without_anybody_stay_unknown_and_do_not_spoil_others():
    view = a_view()
    fine = refine_keypoints(view, some_network())
    assert np.isnan(fine.points[7]).all() and np.isnan(fine.spread[7]).all()
    assert np.isfinite(np.delete(fine.points, 7, axis=0)).all()
    assert np.isfinite(np.delete(fine.spread, 7, axis=0)).all()


def test_chunks_show_no_seam(monkeypatch):
    view, network = a_view(frames=120), some_network()
    whole = refine_keypoints(view, network)
    monkeypatch.setattr(refiner, "CHUNK", 17)
    pieces = refine_keypoints(view, network)
    np.testing.assert_allclose(pieces.points, whole.points, atol=1e-3)
    np.testing.assert_allclose(pieces.spread, whole.spread, rtol=1e-4)


def test_every_second_frame_of_twice_the_rate_is_refined_alike():
    fast, network = a_view(frames=80, fps=60.0), some_network()
    slow = fast.take(np.arange(0, 80, 2))
    np.testing.assert_allclose(
        refine_keypoints(fast, network).points[::2], refine_keypoints(slow, network).points, atol=1e-3
    )


def test_people_are_refined_apart():
    both, network = a_view(people=2), some_network()
    other = replace(
        both, points=both.points[:, 1:], confidence=both.confidence[:, 1:], world=both.world[:, 1:]
    )
    np.testing.assert_allclose(
        refine_keypoints(both, network).points[:, 1:], refine_keypoints(other, network).points, atol=1e-3
    )


def test_scale_does_not_matter():
    view, network = a_view(), some_network()
    large = replace(view, points=2 * view.points, size=(1440, 1080))
    fine, twice = refine_keypoints(view, network), refine_keypoints(large, network)
    np.testing.assert_allclose(twice.points, 2 * fine.points, atol=1e-2)
    np.testing.assert_allclose(twice.spread, 2 * fine.spread, rtol=1e-3)


def test_one_frame_and_none_are_possible():
    view, network = a_view(), some_network()
    assert refine_keypoints(view.slice(3, 4), network).spread.shape == (1, 1, 33)
    assert len(refine_keypoints(view.slice(3, 3), network)) == 0


def test_a_view_without_the_detectors_guess_is_left_alone():
    view = replace(a_view(), world=None)
    assert refine_keypoints(view, some_network()) is view


def test_several_networks_say_their_mean():
    apart = [some_arrays(seed) for seed in (1, 2)]
    both = network_of({name: np.concatenate([arrays[name] for arrays in apart]) for name in apart[0]})
    features = np.random.default_rng(3).normal(size=(9, FEATURES)).astype(np.float32)
    mean = sum(network_of(arrays)(features) for arrays in apart) / 2
    np.testing.assert_allclose(both(features), mean, rtol=1e-5, atol=1e-5)


def test_only_the_detector_that_it_was_trained_for_is_refined():
    views = {"cam1": a_view()}
    assert refine_views(views, "given")["cam1"] is views["cam1"]
    assert refine_views(views, "blazepose")["cam1"].spread is not None
    assert load_refiner("given") is None


def test_the_weights_of_the_package_are_whole():
    network = load_refiner("blazepose")
    assert isinstance(network, Network)
    assert len(network.members) == 2
    for one in network.members:
        assert one.first.shape[0] == FEATURES and one.last.shape[1] == 99
        assert all(np.isfinite(layer).all() for layer in (one.first, one.last, *one.wide))


def test_damaged_weights_are_refused(monkeypatch):
    monkeypatch.setitem(package_weights.SHA256, "blazepose", hashlib.sha256(b"else").hexdigest())
    with pytest.raises(MocapError, match="the weights of blazepose in this installation are damaged"):
        load_refiner.__wrapped__("blazepose")
