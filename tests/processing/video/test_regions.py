"""Regions of masks: the grid that they are joined on, and where they are parted."""

from __future__ import annotations

import numpy as np

from edge_agent.processing.video.regions import regions


def test_a_cell_stands_out_if_two_of_its_four_pixels_do() -> None:
    mask = np.zeros((360, 640), np.uint8)
    mask[100:140:2, 100:140] = 1  # each second row
    mask[200:240:2, 100:140:2] = 1  # one pixel in four
    (region,) = regions(mask, 0.001)
    assert (region.left, region.top, region.right, region.bottom) == (100 / 640, 100 / 360, 140 / 640, 140 / 360)


def test_cells_that_touch_at_a_corner_are_one_region_and_keep_their_holes() -> None:
    mask = np.zeros((180, 320), np.uint8)
    mask[10:30, 10:30] = mask[30:50, 30:50] = 1
    mask[15:20, 15:20] = 0
    (region,) = regions(mask, 0.001)
    assert region.cells is not None
    assert region.cells.shape == (40, 40)
    assert np.count_nonzero(region.cells) == 775


def test_two_people_side_by_side_are_parted_at_the_valley_between_them() -> None:
    mask = np.zeros((180, 320), np.uint8)
    mask[20:80, 40:60] = mask[20:80, 64:84] = 1
    mask[60:80, 60:64] = 1
    found = regions(mask, 0.001)
    assert sorted(round(region.left * 320) for region in found) == [40, 60]
