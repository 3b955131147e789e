"""Events of drug identification kits: what was measured, and no more than that is known from it.

Words: NIJ Standard 0604.01 (colour tests), SWGDRUG Recommendations, part III B (categories of techniques).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_agent.events.envelope import EventData

PRESUMPTIVE: Final = (
    "For presumptive identification purposes only: colour reagents give false positives and false negatives; "
    "a qualified laboratory has to examine the substance."
)
"""In the sense of what NIJ Standard 0604.01, section 4.1.4, has every kit say."""

CieLab = Annotated[
    tuple[float, float, float], Field(description="CIE 1976 L*, a*, b* for D65 and the 2 degree observer")
]


class ColourGroup(BaseModel):
    """Substances whose final colours with a reagent cannot be told apart."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="ISCC-NBS name of its colour", examples=["Strong greenish blue"])
    munsell: list[str] = Field(description="Munsell notations of its rows in the table", examples=[["5B 5/10"]])
    distance: float = Field(ge=0, description="CIEDE2000 from the colour that was seen to its nearest row")
    substances: list[str] = Field(min_length=1, examples=[["Cocaine HCl", "Procaine HCl"]])


class ReferenceCard(BaseModel):
    """How far the light, the print and the camera can be trusted, as the card in the picture says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measured: bool = Field(description="False: the print was never measured, and its nominal colours were assumed")
    markers: int = Field(ge=0, le=4, description="Corner marks found, of four")
    resolution: float = Field(ge=0, description="Pixels of the picture for a millimetre of the card")
    residual_median: float | None = Field(
        default=None,
        ge=0,
        description="CIEDE2000 over the patches, each predicted from the others; null if it did not come to that",
    )
    residual_p95: float | None = Field(default=None, ge=0, description="The same, 95th percentile")
    unevenness: float | None = Field(
        default=None, ge=0, description="Brightest to darkest place of the white paper, as a ratio less 1"
    )
    bits: Literal[8, 16] = Field(description="Bits a channel in the picture")


class ColourMoment(BaseModel):
    """The colour at one moment of a filmed reaction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(description="From the beginning of the film")
    colour: CieLab


class ColourStep(BaseModel):
    """One step of a test that takes several, as Scott's and Duquenois-Levine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(ge=1)
    name: str = Field(examples=["chloroform"])
    colour: CieLab | None = Field(default=None, description="Null: not seen yet")
    as_expected_of: list[str] = Field(default=[], description="Substances whose colour in this step fits")


class ColourTestRead(EventData):
    """A colour test was photographed or filmed on its reference card; presumptive, whatever it says."""

    family: ClassVar[str] = "drugkit"
    event: ClassVar[str] = "colourtest"

    verdict: Literal["consistent", "not_consistent", "inconclusive"] = Field(
        description="consistent: the colour is that of at least one group; not_consistent: of none in the reagent's "
        "table; inconclusive: see `problem`"
    )
    findings: list[str] = Field(
        default=[],
        description="What is behind the verdict or limits it, as short codes",
        examples=[["outside_srgb", "time_unknown"]],
    )
    problem: str = Field(default="", description="Why it is inconclusive or limited, and what to do about it")
    reagent: str = Field(description="As in NIJ 0604.01, or `scott`; empty if nobody said", examples=["A.5", "scott"])
    reagent_name: str = Field(examples=["Marquis"])
    groups: list[ColourGroup] = Field(
        default=[], description="Nearest first; more than one where this reading cannot tell them apart"
    )
    consistent_with: list[str] = Field(
        default=[],
        description="Every substance of the reagent's table that may give this colour. It is not known which, nor "
        "whether it is one of them. In a test of several steps: those that fit all steps seen so far",
    )
    not_consistent_with: list[str] = Field(default=[], description="Substances of the table that give another colour")
    colour: CieLab | None = Field(default=None, description="Of the sample; null if it could not be measured")
    uncertainty: float | None = Field(
        default=None, ge=0, description="CIEDE2000 within which the true colour lies in 99 of 100 readings like this"
    )
    blank: CieLab | None = Field(default=None, description="Of the well with the reagent alone")
    card: ReferenceCard | None = Field(default=None, description="Null if no card was found in the picture")
    reaction_seconds: float | None = Field(
        default=None, ge=0, description="From the drop to the colour that was judged; null if it is not known"
    )
    series: list[ColourMoment] = Field(default=[], description="Of a filmed reaction")
    step: int | None = Field(default=None, ge=1, description="Which step this is, in a test of several")
    steps: list[ColourStep] = Field(default=[], description="All steps of a test of several")
    test: str = Field(default="", max_length=64, description="What joins the pictures of one test")
    kit_lot: str = Field(default="", max_length=64)
    discard_date: date | None = Field(default=None, description="The kit's; past it a verdict is inconclusive")
    presumptive: Literal[True] = True
    category: Literal["C"] = Field(default="C", description="SWGDRUG category of the technique: a colour test")
    notice: str = PRESUMPTIVE
    engine: str = Field(description="What read the colour, with its version", examples=["edge-agent 0.1.0"])
    milliseconds: float = Field(ge=0, description="From the decoded picture to this event")
