"""A compiled kernel."""

from __future__ import annotations

import numba


@numba.njit("int64(int64)", cache=True)
def kernel(n: int) -> int:
    total = 0
    for i in range(n):
        total += i & 3
    return total


def warm() -> None:
    kernel(3)
