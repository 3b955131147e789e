"""From the files of one scan to its record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

from drivers.xray.formats import picture, raw, text, tiff
from drivers.xray.layout import File, Layout
from edge_agent.processing.xray.scan import Band, Channel, Orientation, Scan, ScanError

_IMAGE: Final = "SOPInstanceUID"
_CHANNELS: Final = ("low", "high", "single", "material")


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a scan, and what the layout says of it."""

    file: File
    data: bytes


def read(parts: Sequence[Part], layout: Layout) -> Scan:
    """Read all files of a scan.

    A damaged file that only accompanies the counts (picture, XML) costs a remark; one with counts costs the scan.

    Raises:
        ScanError: a file with counts cannot be used, or channels do not fit together.
    """
    scans: list[Scan] = []
    for part in sorted(parts, key=lambda part: part.file.content in {"picture", "xml"}):
        try:
            scans.append(_read(part, layout))
        except ScanError as error:
            if error.unfinished or not scans or part.file.content not in {"picture", "xml"}:
                raise
            scans.append(Scan(remarks=(f"Its {part.file.content} is left out: {error.message}",)))
    return complete(merge(scans), layout)


def _read(part: Part, layout: Layout) -> Scan:
    channel = Channel(part.file.channel) if part.file.channel is not None else None
    match part.file.content:
        case "raw":
            described = part.file.raw or layout.raw
            if described is None:
                raise ScanError("bad-layout", "The layout does not describe this raw file.")
            return raw.read(part.data, described, channel)
        case "tiff":
            return tiff.read(part.data, channel or Channel.SINGLE)
        case "picture":
            return picture.read(part.data)
        case "xml":
            return text.read(part.data)
        case "dicos":
            from drivers.xray.dicos import image  # only where a scanner speaks it

            return image.read(part.data)
        case _:
            return Scan()


def merge(scans: Iterable[Scan]) -> Scan:
    """One scan of what its files say.

    Raises:
        ScanError: two of them hold the same channel, or channels of different sizes.
    """
    return reduce(_join, scans, Scan())


def _join(one: Scan, other: Scan) -> Scan:
    joined: dict[str, Any] = {}
    for name in (*_CHANNELS, "picture"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine is not None and theirs is not None and name != "picture":
            raise ScanError("same-channel-twice", f"Two files of the scan are its channel {name}.")
        joined[name] = mine if mine is not None else theirs
    if one.shape is not None and other.shape is not None and one.shape != other.shape:
        raise ScanError(
            "different-sizes",
            f"The channels have different sizes, {_size(one.shape)} and {_size(other.shape)}: they are of two scans.",
        )
    return Scan(
        **joined,
        pitch_mm=one.pitch_mm or other.pitch_mm,
        dark={**other.dark, **one.dark},
        metadata=other.metadata | one.metadata | _both(one, other),
        remarks=tuple(dict.fromkeys(one.remarks + other.remarks)),
    )


def _both(one: Scan, other: Scan) -> dict[str, str]:
    """The identifiers of the images, which each has for itself, as DICOM writes more than one value."""
    found = [scan.metadata[_IMAGE] for scan in (one, other) if _IMAGE in scan.metadata]
    return {_IMAGE: "\\".join(found)} if found else {}


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[1]} x {shape[0]}"


def complete(scan: Scan, layout: Layout) -> Scan:
    """Add what only the layout says, and name what is missing.

    Raises:
        ScanError: there is neither a channel nor a picture.
    """
    if all(each is None for each in (scan.low, scan.high, scan.single, scan.picture)):
        raise ScanError("incomplete-scan", "Of this scan there are neither counts nor a picture.", unfinished=True)
    return replace(
        scan,
        taxonomy=tuple(Band(band.first, band.last, band.material) for band in layout.band),
        pitch_mm=scan.pitch_mm or (tuple(layout.pitch_mm) if layout.pitch_mm is not None else None),  # type: ignore[arg-type]  # two of them
        orientation=Orientation(layout.lines),
        air={Channel(name): level for name, level in layout.air.items()},
        dark={**{Channel(name): level for name, level in layout.dark.items()}, **scan.dark},
        missing=tuple(Channel(name) for name in layout.channels if getattr(scan, name) is None)
        + _missing_energies(scan, layout),
    )


def _missing_energies(scan: Scan, layout: Layout) -> tuple[Channel, ...]:
    """What a pair lacks where the layout leaves open whether there is one."""
    if layout.channels:
        return ()
    pair = {Channel.LOW: scan.low, Channel.HIGH: scan.high}
    return (
        tuple(name for name, array in pair.items() if array is None)
        if any(a is not None for a in pair.values())
        else ()
    )
