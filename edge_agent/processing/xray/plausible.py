"""Whether the channels of a scan can be what they are said to be, before anything is made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.scan import Channel, Counts, Scan, ScanError

SWAPPED: Final = (
    "The channels low and high are exchanged: the one called high is weakened more. They were put right; "
    "exchange their names in the layout."
)
_OPEN_PERCENTILE: Final = 99.0
_OBJECT: Final = (0.05, 0.85)
"""Share of the open beam between which a pixel says which energy it saw."""
_ENOUGH: Final = 200
_SAMPLES: Final = 200_000
_SURE: Final = 4.0
"""Standard errors of the mean difference."""


def examine(scan: Scan) -> Scan:
    """The scan with what is odd about its channels put right where that is certain, and said.

    Raises:
        ScanError: a channel holds nothing (all-zero, saturated or constant).
    """
    remarks = list(scan.remarks)
    for channel in (Channel.LOW, Channel.HIGH, Channel.SINGLE):
        counts = getattr(scan, channel.value)
        if counts is not None:
            remarks += _levels(counts, channel)
    low, high = scan.low, scan.high
    if low is not None and high is not None:
        verdict = swapped(low, high)
        if verdict:
            low, high = high, low
            remarks.append(SWAPPED)
        elif np.array_equal(low, high):
            raise ScanError("same-channel-twice", "The channels low and high are the same: one was sent twice.")
    return replace(scan, low=low, high=high, remarks=tuple(remarks))


def _levels(counts: Counts, channel: Channel) -> list[str]:
    least, most = int(counts.min()), int(counts.max())
    if most == 0:
        raise ScanError("all-zero", f"The channel {channel} holds only zeros: was the radiation on?")
    if least == most:
        code = "saturated" if _is_limit(most) else "constant"
        raise ScanError(code, f"The channel {channel} holds only the value {most}: the detector sees nothing.")
    share = float(np.mean(counts == most))
    if _is_limit(most) and share > 0.999:
        raise ScanError("saturated", f"The channel {channel} is saturated nearly everywhere: lower its gain.")
    if _is_limit(most) and share > 0.005:
        return [f"{share:.0%} of the channel {channel} is saturated: thin things cannot be seen there."]
    return []


def _is_limit(value: int) -> bool:
    """Whether a value is the highest that 10 to 16 bits hold."""
    return value in {(1 << bits) - 1 for bits in range(10, 17)}


def swapped(low: Counts, high: Counts) -> bool:
    """Whether ``low`` is weakened less than ``high``, which no material does below the energies of pair production.

    Both are compared where something lies in the beam, relative to their own open beam: there radiation of lower
    energy is always weakened more. Without enough such pixels, or where noise could be the reason, the answer is no.
    """
    every = max(int(np.sqrt(low.size / _SAMPLES)), 1)
    one, other = (_share_of_open(counts[::every, ::every]) for counts in (low, high))
    middle = (one + other) / 2
    inside = (middle > _OBJECT[0]) & (middle < _OBJECT[1])
    if np.count_nonzero(inside) < _ENOUGH:
        return False
    difference = (other - one)[inside]
    error = float(difference.std() / np.sqrt(len(difference)))
    return float(difference.mean()) < -max(_SURE * error, 0.005)


def _share_of_open(counts: NDArray[np.uint16]) -> NDArray[np.float32]:
    dark = float(np.percentile(counts, 0.01))
    dark = dark if dark < 0.1 * float(counts.max()) else 0.0
    light = float(np.percentile(counts, _OPEN_PERCENTILE))
    return ((counts - np.float32(dark)) / np.float32(max(light - dark, 1.0))).astype(np.float32)


def saturated_share(counts: Counts) -> float:
    """Share of the pixels that are at the highest value that there can be; 0 if none is."""
    most = int(counts.max())
    return float(np.mean(counts == most)) if _is_limit(most) else 0.0
