"""Events of spectrometers and trace detectors: what a spectrum is like, and no more than that.

Words: SWGDRUG Recommendations, part III B. A result of the field is presumptive or a screening, never a confirmation;
the spectrum itself goes with the event as evidence, since SWGDRUG asks for reviewable data.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_agent.events.envelope import EventData


class SpectralCandidate(BaseModel):
    """An entry of the library, and how like it the spectrum is: correlations from -1 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(examples=["Lactose"])
    cas: str = Field(default="", description="CAS number, where the library has it", examples=["63-42-3"])
    correlation: float = Field(ge=-1, le=1, description="Of the bands, their baseline taken off")
    derivative: float = Field(ge=-1, le=1, description="Of their first derivative; the candidates are sorted by it")
    masked: float = Field(ge=-1, le=1, description="The same without the regions where the instrument speaks")
    source: str = Field(default="", description="Who measured or published the entry")
    licence: str = Field(default="")


class MixtureComponent(BaseModel):
    """One of two entries that together explain the spectrum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    cas: str = ""
    share: float = Field(ge=0, le=1, description="Of the signal; says little about the mass")


class WavenumberAxis(BaseModel):
    """Whether the wavenumbers of the instrument can be trusted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["corrected", "unchecked", "outdated", "not_applicable"] = Field(
        description="corrected: by lines of polystyrene that were measured; unchecked: never, so that nothing is "
        "compared; outdated: too long ago"
    )
    measured: datetime | None = Field(default=None, description="When polystyrene was measured")
    worst: float | None = Field(default=None, description="1/cm that the worst line was off before the correction")
    residual: float | None = Field(default=None, description="1/cm that the worst line is off after it")


class SpectrumQuality(BaseModel):
    """Whether the spectrum is good enough to be compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    snr: float = Field(description="The highest band over the noise")
    saturated: float = Field(ge=0, le=1, description="Share of the points at the detector's limit")
    fluorescence: float | None = Field(
        default=None, description="Raman only: background over background and highest band"
    )


class ReducedMobility(BaseModel):
    """A peak of an ion mobility spectrum as the instrument names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    k0: float = Field(description="cm2/(V s)", examples=[1.73])
    name: str = Field(default="", examples=["acetone"])


class SpectrumMeasured(EventData):
    """A spectrometer or trace detector delivered a spectrum; presumptive, whatever it is like."""

    family: ClassVar[str] = "drugkit"
    event: ClassVar[str] = "spectrum"

    verdict: Literal["match", "several", "mixture", "no_match", "not_compared"] = Field(
        description="match: like one substance and clearly less like all others of the library; several: like more "
        "than one; mixture: like two together; no_match: like none that the library holds; not_compared: see `problem`"
    )
    consistent_with: list[str] = Field(
        default=[], description="The substances behind the verdict: one, several, or the two of a mixture"
    )
    presumptive: Literal[True] = True
    assertion: Literal["presumptive", "screening"] = Field(
        description="screening: a trace detector's; a laboratory has to examine the substance in either case"
    )
    technique: str = Field(examples=["raman", "infrared", "ims"])
    category: Literal["A", "B", "C"] | None = Field(description="SWGDRUG category of the technique; null if unknown")
    candidates: list[SpectralCandidate] = Field(default=[], description="Best first, also where they are no match")
    margin: float | None = Field(
        default=None, description="By how much the first is ahead of the next substance, in the derivative"
    )
    mixture: list[MixtureComponent] = Field(default=[], description="Empty unless the verdict is one")
    problem: str = Field(default="", description="Why it is no match, or why nothing was compared, and what to do")
    axis: WavenumberAxis
    quality: SpectrumQuality | None = None
    mobilities: list[ReducedMobility] = Field(default=[], description="Of an ion mobility spectrum")
    instrument_says: dict[str, str] = Field(
        default={}, description="The instrument's own result, by the labels of its file; beside ours, not part of it"
    )
    doubts: list[str] = Field(default=[], description="What in the file contradicts itself, without harm")
    spectra: int = Field(ge=1, description="How many the file holds; the first of them is meant")
    points: int = Field(ge=1)
    x_first: float
    x_last: float
    x_unit: str = Field(examples=["1/cm"])
    y_unit: str = Field(examples=["transmittance"])
    library: str = Field(default="", description="Name and identity of the library; empty if none was used")
    engine: str = Field(description="What compared the spectra, with its version", examples=["edge-agent 0.1.0"])
    milliseconds: float = Field(ge=0, description="From the device's data to this event")
