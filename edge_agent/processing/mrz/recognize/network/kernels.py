"""Convolutions of 16-bit integers, compiled: twice the multiplications per cycle of floats, and the same on any CPU.

Numba has no instruction that multiplies pairs of 16-bit numbers and adds them up in 32 bits, so the innermost loop is
written in LLVM's own language. Each kernel has a plain NumPy reference in the tests that it must agree with exactly.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

LANES: Final = 8
"""32-bit sums in a vector."""
TOP: Final = 8191
"""Largest activation."""
_REGISTERS: Final = 14
"""Vectors that hold sums; the oldest CPUs in question have two more."""

_jit: Any = numba.njit(cache=True, nogil=True, boundscheck=False)
_PAIRS: Final = ir.VectorType(ir.IntType(16), 2 * LANES)
_SUMS: Final = ir.VectorType(ir.IntType(32), LANES)
_WHOLE: Final = ir.IntType(32)


_PAIRED: Final = bool(binding.get_host_cpu_features().get("avx2"))
"""Whether this CPU has an instruction that multiplies and adds pairs, in vectors of this size."""


def _tile(vectors: int, *, paired: bool = _PAIRED) -> Any:
    """Sums of products at ``_REGISTERS // vectors`` neighbouring positions, for ``vectors * LANES`` channels.

    Compiled to ``tile(x, stride, pitch, high, pairs, weights, sums, apart)``, with addresses and strides in bytes: at
    each position, ``stride`` apart, ``high`` rows, ``pitch`` apart, of ``pairs`` pairs of numbers are multiplied with
    ``weights`` (high, pairs, channels, 2); ``sums`` receives the channels that come out, each position's ``apart``.
    """
    positions = _REGISTERS // vectors

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        x, stride, pitch, high, pairs, weights, sums, apart = arguments
        word, size = x.type, 4 * LANES

        def ahead(address: Any, by: Any) -> Any:
            return builder.add(address, ir.Constant(word, by) if isinstance(by, int) else by)

        def flow(phis: list[Any], values: Any, block: Any) -> None:
            for phi, value in zip(phis, values, strict=True):
                phi.add_incoming(value, block)

        begin = builder.block
        row, pair, row_done, done = (builder.append_basic_block() for _ in range(4))
        builder.branch(row)

        builder.position_at_end(row)
        kinds = [word] * 3 + [_SUMS] * (positions * vectors)
        per_row = [builder.phi(kind) for kind in kinds]
        flow(per_row, (high, x, weights, *[ir.Constant(_SUMS, None)] * (positions * vectors)), begin)
        builder.branch(pair)

        builder.position_at_end(pair)
        per_pair = [builder.phi(kind) for kind in kinds]
        flow(per_pair, (pairs, *per_row[1:]), row)
        left, at, weight, *so_far = per_pair
        factors = [_load(builder, ahead(weight, v * size), _PAIRS, 4) for v in range(vectors)]
        grown, here = [], at
        for p in range(positions):
            both = builder.bitcast(_everywhere(builder, _load(builder, here, _WHOLE, 2)), _PAIRS)
            products = [_products(builder, both, factor, paired) for factor in factors]
            grown += [builder.add(so_far[p * vectors + v], product) for v, product in enumerate(products)]
            here = ahead(here, stride)
        left, weight = ahead(left, -1), ahead(weight, vectors * size)
        flow(per_pair, (left, ahead(at, 4), weight, *grown), pair)
        builder.cbranch(builder.icmp_signed(">", left, ir.Constant(word, 0)), pair, row_done)

        builder.position_at_end(row_done)
        left = ahead(per_row[0], -1)
        flow(per_row, (left, ahead(per_row[1], pitch), weight, *grown), row_done)
        builder.cbranch(builder.icmp_signed(">", left, ir.Constant(word, 0)), row, done)

        builder.position_at_end(done)
        for p in range(positions):
            for v in range(vectors):
                address = builder.inttoptr(ahead(sums, v * size), _SUMS.as_pointer())
                builder.store(grown[p * vectors + v], address, align=4)
            sums = ahead(sums, apart)
        return context.get_dummy_value()

    def tile(
        _: Any, x: Any, stride: Any, pitch: Any, high: Any, pairs: Any, weights: Any, sums: Any, apart: Any
    ) -> Any:
        return types.void(x, stride, pitch, high, pairs, weights, sums, apart), codegen

    return intrinsic(tile)


def _load(builder: Any, address: Any, kind: Any, align: int) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=align)


def _everywhere(builder: Any, value: Any) -> Any:
    """A vector with this value in all lanes."""
    nothing = ir.Constant(_SUMS, ir.Undefined)
    one = builder.insert_element(nothing, value, ir.Constant(_WHOLE, 0))
    return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(_WHOLE, LANES), [0] * LANES))


def _products(builder: Any, a: Any, b: Any, paired: bool) -> Any:
    """Products of 16-bit numbers, each added to its neighbour's."""
    if paired:
        kind = ir.FunctionType(_SUMS, (_PAIRS, _PAIRS))
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.avx2.pmadd.wd"), (a, b))
    wide = ir.VectorType(_WHOLE, 2 * LANES)
    product = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
    halves = (
        builder.shuffle_vector(
            product, product, ir.Constant(ir.VectorType(_WHOLE, LANES), list(range(k, 2 * LANES, 2)))
        )
        for k in (0, 1)
    )
    return builder.add(*halves)


_tile2, _tile3, _tile5, _tile7 = (_tile(vectors) for vectors in (2, 3, 5, 7))


@_jit
def convolve(x: NDArray[np.int16], weights: NDArray[np.int16], down: int, right: int, out: NDArray[np.int32]) -> None:
    """Exact sums of a convolution.

    Args:
        x: Shape (batch, rows, columns, channels); behind the last number that a patch takes there must be one more.
        weights: Shape (groups, high, pairs, LANES * (2, 3, 5 or 7), 2): for each group of channels, row of a patch and
            pair of neighbours in it (column by column, channel by channel), what both are multiplied with.
        down: Rows from patch to patch.
        right: Columns from patch to patch.
        out: Receives the sums, shape (batch, rows out, columns out, channels out), contiguous, at least 7 columns.
    """
    groups, high, pairs, wide, _ = weights.shape
    batch, rows, columns, _ = out.shape
    vectors = wide // LANES
    positions = _REGISTERS // vectors
    stride, pitch = 2 * x.shape[3] * right, 2 * x.shape[3] * x.shape[2]
    apart = 4 * groups * wide
    for n in range(batch):
        first = x[n].ctypes.data
        for i in range(rows):
            sums = out[n, i].ctypes.data
            for column in range(0, columns, positions):
                j = min(column, columns - positions)  # the last ones may be summed up twice
                patch = first + i * down * pitch + j * stride
                for g in range(groups):
                    factors, total = weights[g].ctypes.data, sums + j * apart + 4 * g * wide
                    if vectors == 7:
                        _tile7(patch, stride, pitch, high, pairs, factors, total, apart)
                    elif vectors == 5:
                        _tile5(patch, stride, pitch, high, pairs, factors, total, apart)
                    elif vectors == 3:
                        _tile3(patch, stride, pitch, high, pairs, factors, total, apart)
                    else:
                        _tile2(patch, stride, pitch, high, pairs, factors, total, apart)


@_jit
def layer(
    x: NDArray[np.int16],
    weights: NDArray[np.int16],
    down: int,
    right: int,
    factor: NDArray[np.float32],
    bias: NDArray[np.float32],
    above: int,
    left: int,
    out: NDArray[np.int16],
) -> None:
    """A convolution and what activates its sums, row by row, so that the sums never leave the cache.

    ``x``, ``weights``, ``down`` and ``right`` as for ``convolve``; ``factor`` and ``bias`` as for ``activate``, as are
    ``above`` and ``left``: where the activations begin in ``out`` (batch, rows, columns, channels).
    """
    batch, rows, columns = out.shape[0], out.shape[1] - 2 * above, out.shape[2] - 2 * left
    high = weights.shape[1]
    sums = np.empty((1, 1, columns, out.shape[3]), np.int32)
    for n in range(batch):
        for i in range(rows):
            convolve(x[n : n + 1, i * down : i * down + high], weights, down, right, sums)
            activate(sums, factor, bias, above + i, left, out[n : n + 1])


@_jit
def whole(values: NDArray[np.float32], factor: float, above: int, left: int, out: NDArray[np.int16]) -> None:
    """Rounded ``values * factor``, from ``-TOP`` to ``TOP``, into ``out`` from this row and column on.

    ``values`` has shape (batch, rows, columns); ``out`` has more rows and columns, and one channel.
    """
    batch, rows, columns = values.shape
    half, most = np.float32(0.5), np.float32(TOP)
    for n in range(batch):
        for i in range(rows):
            for j in range(columns):
                value = min(max(values[n, i, j] * np.float32(factor), -most), most)
                out[n, i + above, j + left, 0] = np.int16(np.floor(value + half))


@_jit
def activate(
    sums: NDArray[np.int32],
    factor: NDArray[np.float32],
    bias: NDArray[np.float32],
    above: int,
    left: int,
    out: NDArray[np.int16],
) -> None:
    """Rounded ``sums * factor + bias`` (by channel), from 0 to ``TOP``, into ``out`` from this row and column on.

    ``sums`` has shape (batch, rows, columns, channels); ``out`` has more rows and columns, which are left as they are.
    """
    batch, rows, columns, channels = sums.shape
    half, least, most = np.float32(0.5), np.float32(0), np.float32(TOP)
    for n in range(batch):
        for i in range(rows):
            for j in range(columns):
                for c in range(channels):
                    value = np.float32(sums[n, i, j, c]) * factor[c] + (bias[c] + half)
                    out[n, i + above, j + left, c] = np.int16(min(max(value, least), most))
