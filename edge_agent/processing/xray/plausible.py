"""Whether the channels of a scan can be what they are said to be, before anything is made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_agent.processing.xray.scan import Channel, Counts, Scan, ScanError


def examine(scan: Scan) -> Scan:
    """The scan, with a remark on what is odd about its channels.

    Raises:
        ScanError: a channel holds nothing (all-zero, saturated or constant).
    """
    remarks = list(scan.remarks)
    for channel in (Channel.LOW, Channel.HIGH, Channel.SINGLE):
        counts = getattr(scan, channel.value)
        if counts is not None:
            remarks += _levels(counts, channel)
    if scan.low is not None and scan.high is not None and np.array_equal(scan.low, scan.high):
        raise ScanError("same-channel-twice", "The channels low and high are the same: one was sent twice.")
    return replace(scan, remarks=tuple(remarks))


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


def saturated_share(counts: Counts) -> float:
    """Share of the pixels that are at the highest value that there can be; 0 if none is."""
    most = int(counts.max())
    return float(np.mean(counts == most)) if _is_limit(most) else 0.0
