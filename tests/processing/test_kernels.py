"""Connected regions against OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_agent.processing.kernels import connected, paint


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.05, 0.4, 0.6, 0.95])
def test_regions_are_those_of_opencv(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 60)), int(rng.integers(1, 75)))
    classes = (rng.random(shape) < share).astype(np.uint8) * rng.integers(1, 3, shape).astype(np.uint8)
    for wanted in (1, 255):
        mask = classes == 1 if wanted == 1 else classes != 0
        count, labels, stats, centroids = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        runs, found = connected(classes, wanted, 1)
        assert len(found) == count - 1
        truth = {
            (left, top, left + width, top + height, area, round(float(c[0] * area)), round(float(c[1] * area)))
            for (left, top, width, height, area), c in zip(stats[1:].tolist(), centroids[1:], strict=True)
        }
        assert {tuple(region) for region in found.tolist()} == truth
        numbers = np.empty(shape, np.int32)
        paint(runs, numbers)
        assert np.array_equal(numbers >= 0, mask)
        # The same pixels belong together.
        pairs = {(int(a), int(b)) for a, b in zip(numbers[mask], labels[mask], strict=True)}
        assert len(pairs) == count - 1


def test_small_regions_are_left_out_and_many_runs_find_room() -> None:
    classes = np.zeros((200, 200), np.uint8)
    classes[::2, ::2] = 3
    classes[50:60, 50:60] = 3
    runs, found = connected(classes, 3, 50)
    assert len(found) == 1
    # The square and the points that touch it.
    assert found[0, 4] == runs[:, 2].sum() - runs[:, 1].sum()
    assert len(connected(classes, 3, 1)[1]) > 9000
