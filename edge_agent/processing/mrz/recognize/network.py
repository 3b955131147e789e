"""The network that reads strips: a few convolutions, run with BLAS and small compiled loops."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.recognize import kernels

Floats = NDArray[np.float32]

WEIGHTS: Final = Path(__file__).parent / "weights.npz"
STEP: Final = 4
"""Pixels of a strip per step of the output."""
SHIFT: Final = 4.0
"""Pixels per unit of the output that says how far below the strip's middle the text runs."""
SIZE: Final = 0.25
"""Natural logarithm per unit of the output that says how much taller the capitals are than they should be."""
OUTPUTS: Final = len(ALPHABET) + 3


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
class Network:
    """The weights: per layer a matrix (high * wide * channels in, channels out) and a bias, and what they are."""

    matrices: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    provenance: dict[str, Any]

    def __call__(self, strips: Floats) -> Floats:
        """Outputs (lines, steps, OUTPUTS) for strips (lines, HEIGHT, width).

        Per step: log odds of the 37 characters up to a constant, log odds that a character's centre lies here, and the
        text's shift and size in units of SHIFT and SIZE.
        """
        x = strips[..., None]
        for layer, matrix, bias in zip(LAYERS, self.matrices, self.biases, strict=True):
            x = _convolved(x, layer, matrix)
            if layer is not LAYERS[-1]:
                kernels.bias_and_clip(x.reshape(-1, layer.channels), bias)
            else:
                x += bias
        return np.ascontiguousarray(x[:, 0])


def _convolved(x: Floats, layer: Layer, matrix: Floats) -> Floats:
    """The convolution of ``x`` (batch, rows, columns, channels) without its bias.

    Row by row, so that the patches of one row stay in the processor's cache between unfolding and multiplication.
    """
    batch, rows, columns, channels = x.shape
    if layer.high * layer.wide == 1:
        return x @ matrix
    high = (rows + 2 * layer.above - layer.high) // layer.down + 1
    wide = (columns + 2 * layer.left - layer.wide) // layer.right + 1
    padded = np.zeros((batch, rows + 2 * layer.above, columns + 2 * layer.left, channels), np.float32)
    padded[:, layer.above : layer.above + rows, layer.left : layer.left + columns] = x
    patches = np.empty((wide, len(matrix)), np.float32)
    out = np.empty((batch, high, wide, layer.channels), np.float32)
    for picture, result in zip(padded, out, strict=True):
        for i in range(high):
            top = i * layer.down
            kernels.unfold(picture[top : top + layer.high], layer.wide, layer.right, patches)
            np.dot(patches, matrix, out=result[i])
    return out


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
            json.loads(str(arrays["provenance"])),
        )
