"""The seam: a scan goes in; what it is made of, and what an officer ought to look at, comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray import kernels
from edge_agent.processing.xray.calibration import Calibration, nominal
from edge_agent.processing.xray.correct import Corrected, correct
from edge_agent.processing.xray.decompose import mean_areal_density
from edge_agent.processing.xray.expected import Expected, guess, structure
from edge_agent.processing.xray.maps import Box, Maps, classify, make, spots
from edge_agent.processing.xray.physics import STEEL
from edge_agent.processing.xray.rules import BAGGAGE, VEHICLE, Proposal, Rules, propose
from edge_agent.processing.xray.scan import Scan
from edge_agent.processing.xray.tables import CLASSES, curve

__all__ = ["Analysis", "Box", "ClassArea", "Expected", "Proposal", "Region", "Rules", "analyse", "warm"]

_LEAST_CM2: Final = 2.0
_MOST_REGIONS: Final = 50


@dataclass(frozen=True, slots=True)
class ClassArea:
    """How much of a scan resembles one class of materials.

    Attributes:
        material: ``organic``, ``inorganic``, ``metal`` or ``opaque``; ``unknown`` where there is one energy only.
        pixels: Of the scan.
        area_mm2: In the object's plane; None where the scanner does not say its pitch.
        share: Of what is not background, 0 to 1.

    """

    material: str
    pixels: int
    area_mm2: float | None
    share: float


@dataclass(frozen=True, slots=True)
class Region:
    """A connected region of one class.

    Attributes:
        material: As of ``ClassArea``.
        box: Around it, in pixels of the scan.
        pixels: Of the scan.
        area_mm2: None where the scanner does not say its pitch.
        attenuation: Mean of -ln(T) of the high channel.
        spread: Standard deviation of it within the region.
        steel_mm: Steel that weakens the high channel as much.
        mass_g: Effective mass: that of PMMA, aluminium or steel, after the class, that weakens the beam as much.

    """

    material: str
    box: Box
    pixels: int
    area_mm2: float | None
    attenuation: float
    spread: float
    steel_mm: float
    mass_g: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What one scan holds.

    Attributes:
        classes: By material, the largest first.
        regions: Connected regions of one class, the largest first, at most 50.
        proposals: The most urgent first.
        class_map: Class of each pixel by its number in ``CLASSES``, shape (rows, columns); None with one energy.
        corrected: The corrected channels, for ``views.view``.
        maps: The same, coarser, as attenuations; for ``compare``.
        nominal: Whether a textbook scanner stood in for a calibration.
        remarks: What is odd about the scan, in a technician's words.

    """

    classes: tuple[ClassArea, ...]
    regions: tuple[Region, ...]
    proposals: tuple[Proposal, ...]
    class_map: NDArray[np.uint8] | None
    corrected: Corrected
    maps: Maps
    nominal: bool
    remarks: tuple[str, ...] = field(default=())


def analyse(
    scan: Scan,
    calibration: Calibration | None = None,
    *,
    expected: Expected | None = None,
    rules: Rules | None = None,
    corrected: Corrected | None = None,
) -> Analysis:
    """Analyse one scan by itself.

    Args:
        scan: Raw channels.
        calibration: Of the scanner; None for a textbook scanner of 160 kV, which is said in the remarks.
        expected: What is scanned, so what is always dark; None for a guess by the size of the pixels.
        rules: From which size on something is proposed; None for those of baggage or vehicles.
        corrected: The scan's corrected channels, if they are there already.

    Raises:
        ScanError: the scan has no channels, channels that do not fit, or no signal.

    """
    known = calibration or nominal()
    corrected = corrected or correct(scan)
    remarks = list(corrected.remarks)
    if calibration is None or calibration.nominal:
        remarks.append("Not calibrated: classes and masses are those of a textbook scanner of 160 kV.")
    if corrected.pitch_mm is None:
        remarks.append("The scanner does not say its pitch: a pixel counts as 1 mm where a rule needs a size.")
    maps = make(corrected, known)
    expected = expected or guess(maps)
    dark = structure(maps, expected, corrected.lines)
    class_map = None
    if corrected.low is not None:
        class_map = classify(corrected, known)
        classes = _areas(class_map, corrected.pitch_mm)
    else:
        remarks.append("One energy only: how much is in the beam can be told, not of which kind.")
        classes = _areas(np.where(maps.classes == 255, 5, maps.classes).astype(np.uint8), maps.pitch_mm, maps.factor)
        if corrected.pitch_mm is None:
            classes = tuple(ClassArea(c.material, c.pixels, None, c.share) for c in classes)
    chosen = rules or (BAGGAGE if expected.kind == "baggage" else VEHICLE)
    return Analysis(
        classes=classes,
        regions=tuple(_regions(maps, known)),
        proposals=tuple(propose(maps, known, chosen, dark)),
        class_map=class_map,
        corrected=corrected,
        maps=maps,
        nominal=known.nominal,
        remarks=tuple(remarks),
    )


def _areas(
    class_map: NDArray[np.uint8], pitch_mm: tuple[float, float] | None, factor: int = 1
) -> tuple[ClassArea, ...]:
    counts = kernels.histogram(class_map)
    names = {number: name for number, name in enumerate((*CLASSES, "unknown")) if number}
    total = max(int(sum(counts[number] for number in names)), 1)
    out = [
        ClassArea(
            name,
            int(counts[number]) * factor**2,
            float(counts[number] * pitch_mm[0] * pitch_mm[1]) if pitch_mm else None,
            float(counts[number] / total),
        )
        for number, name in names.items()
        if counts[number]
    ]
    return tuple(sorted(out, key=lambda area: -area.pixels))


def _regions(maps: Maps, calibration: Calibration) -> list[Region]:
    numbers = range(1, len(CLASSES)) if maps.dual else (255, 4)
    out = []
    for number in numbers:
        material = CLASSES[number] if number < len(CLASSES) else "unknown"
        for spot in spots(maps.classes == number, max(_LEAST_CM2 / maps.cell_cm2, 4))[:_MOST_REGIONS]:
            high = maps.high[spot.window][spot.mask]
            mean = float(high.mean(dtype=np.float64))
            mass = None
            if maps.known_pitch and material in {"organic", "inorganic", "metal"}:
                mass = mean_areal_density(calibration, high, material) * spot.cells * maps.cell_cm2
            out.append(
                Region(
                    material,
                    maps.box(spot),
                    spot.cells * maps.factor**2,
                    spot.cells * maps.cell_cm2 * 100 if maps.known_pitch else None,
                    mean,
                    float(high.std()),
                    float(curve(calibration, STEEL).thickness(np.array(mean))),
                    mass,
                )
            )
    return sorted(out, key=lambda region: -region.pixels)[:_MOST_REGIONS]


def warm() -> None:
    """Compile or load what every process that analyses scans needs."""
    counts = np.full((24, 24), 50_000, np.uint16)
    counts[8:16, 8:16] = 20_000
    scan = Scan(low=counts, high=counts // 2 + 20_000, pitch_mm=(1.0, 1.0))
    analyse(scan, nominal())
