"""The network that reads strips: a few convolutions in integers.

Trained in floats; weights and activations are rounded to 13 bits and more, which leaves the probabilities as they are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.recognize.network import kernels
from edge_agent.processing.mrz.recognize.network.kernels import LANES, TOP

Floats = NDArray[np.float32]

WEIGHTS: Final = Path(__file__).parent / "weights.npz"
STEP: Final = 4
"""Pixels of a strip per step of the output."""
SHIFT: Final = 4.0
"""Pixels per unit of the output that says how far below the strip's middle the text runs."""
SIZE: Final = 0.25
"""Natural logarithm per unit of the output that says how much taller the capitals are than they should be."""
OUTPUTS: Final = len(ALPHABET) + 3
BRIGHTEST: Final = 16.0
"""Largest deviation from the mean grey, in standard deviations, that the first layer takes in."""
_MOST: Final = (2**31 - 1) // TOP
"""Sum of the absolute weights of a channel up to which no sum of products leaves 32 bits."""
_GROUPS: Final = (7, 5, 3, 2)
"""Vectors of channels that the kernel takes at a time."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution: patch, step, zero padding above and at the left (and below and at the right alike), channels."""

    high: int
    wide: int
    down: int
    right: int
    above: int
    left: int
    channels: int


LAYERS: Final = (
    Layer(5, 5, 2, 2, 2, 2, 16),
    Layer(3, 3, 2, 1, 1, 1, 40),
    Layer(3, 3, 2, 2, 1, 1, 72),
    Layer(4, 3, 1, 1, 0, 1, 112),
    Layer(1, 5, 1, 1, 0, 2, 112),
    Layer(1, 1, 1, 1, 0, 0, OUTPUTS),
)


@dataclass(frozen=True)
class Rounded:
    """A layer in integers: what ``kernels.convolve`` takes, and what its sums are multiplied with in what follows."""

    weights: NDArray[np.int16]
    factor: Floats
    bias: Floats


@dataclass(frozen=True)
class Network:
    """The weights: per layer a matrix (high * wide * channels in, channels out) and a bias, and what they are."""

    matrices: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    ranges: tuple[float, ...]
    """The largest activation that each layer but the last gave on the strips of the training."""
    provenance: dict[str, Any]

    def __call__(self, strips: Floats) -> Floats:
        """Outputs (lines, steps, OUTPUTS) for strips (lines, HEIGHT, width).

        Per step: log odds of the 37 characters up to a constant, log odds that a character's centre lies here, and the
        text's shift and size in units of SHIFT and SIZE.
        """
        first = LAYERS[0]
        x = _padded(strips[..., None].shape, first)
        kernels.whole(strips, TOP / BRIGHTEST, first.above, first.left, x)
        for layer, following, rounded in zip(LAYERS, LAYERS[1:], self.layers, strict=False):
            activated = _padded(_shape(x, layer), following)
            kernels.layer(
                x,
                rounded.weights,
                layer.down,
                layer.right,
                rounded.factor,
                rounded.bias,
                following.above,
                following.left,
                activated,
            )
            x = activated
        last, end = LAYERS[-1], self.layers[-1]
        sums = np.empty(_shape(x, last), np.int32)
        kernels.convolve(x, end.weights, last.down, last.right, sums)
        return np.asarray(sums[:, 0] * end.factor + end.bias, np.float32)

    @cached_property
    def layers(self) -> tuple[Rounded, ...]:
        """The layers in integers."""
        units = [top / TOP for top in (BRIGHTEST, *self.ranges)] + [1.0]
        return tuple(
            _rounded(layer, matrix, bias, *unit)
            for layer, matrix, bias, unit in zip(LAYERS, self.matrices, self.biases, pairwise(units), strict=True)
        )


def _rounded(layer: Layer, matrix: Floats, bias: Floats, before: float, after: float) -> Rounded:
    """A layer whose input counts in units of ``before`` and its output in units of ``after``."""
    scale = np.minimum((_MOST - len(matrix)) / np.abs(matrix).sum(axis=0), 32767 / np.abs(matrix).max(axis=0))
    whole = np.rint(matrix * scale).reshape(layer.high, -1, layer.channels)
    even = np.pad(whole, ((0, 0), (0, whole.shape[1] % 2), (0, 0)))
    vectors = next(n for n in _GROUPS if layer.channels // LANES % n == 0)
    # (high, pairs, 2, groups, channels of a group) as (groups, high, pairs, channels of a group, 2)
    packed = even.reshape(layer.high, -1, 2, layer.channels // (LANES * vectors), LANES * vectors)
    return Rounded(
        np.ascontiguousarray(packed.transpose(3, 0, 1, 4, 2), np.int16),
        (before / scale / after).astype(np.float32),
        (bias / after).astype(np.float32),
    )


def _padded(shape: tuple[int, ...], layer: Layer) -> NDArray[np.int16]:
    """Zeros with room for a picture (batch, rows, columns, channels) and the padding of ``layer``."""
    batch, rows, columns, channels = shape
    return np.zeros((batch, rows + 2 * layer.above, columns + 2 * layer.left, channels), np.int16)


def _shape(x: NDArray[np.int16], layer: Layer) -> tuple[int, int, int, int]:
    """Of what a layer makes of its padded input: (batch, rows, columns, channels)."""
    rows = (x.shape[1] - layer.high) // layer.down + 1
    columns = (x.shape[2] - layer.wide) // layer.right + 1
    return len(x), rows, columns, layer.channels


@cache
def network() -> Network:
    """The network with the weights of this package."""
    return load(WEIGHTS)


def load(path: Path) -> Network:
    """Read weights that ``benchmarks.train_mrz`` wrote."""
    with np.load(path) as arrays:
        count = len(LAYERS)
        return Network(
            tuple(np.ascontiguousarray(arrays[f"weight{i}"], np.float32) for i in range(count)),
            tuple(np.ascontiguousarray(arrays[f"bias{i}"], np.float32) for i in range(count)),
            tuple(arrays["ranges"].tolist()),
            json.loads(str(arrays["provenance"])),
        )
