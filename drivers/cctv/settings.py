"""What a camera's device file may say about watching: zones, lines, masks, health and pictures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_agent.driver import DriverSettings

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Share, Share]
"""x to the right, y down, each from 0 to 1."""
Corners = Annotated[list[Point], Field(min_length=3, max_length=40)]
AreaName = Annotated[str, Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Fault = Literal["no_signal", "frozen", "dark", "dazzled", "covered", "defocused", "moved", "stuck_colour"]
Pictured = Literal["motion", "zone", "line", "health"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Zone(_Table):
    """``[[settings.zones]]``: an area in which objects are counted."""

    name: AreaName = Field(description="Named in the events")
    polygon: Corners = Field(description="Corners [x, y], each from 0 to 1: x to the right, y down")
    enter_seconds: Seconds = Field(default=0.2, description="How long something must be inside to have entered")
    leave_seconds: Seconds = Field(default=0.2, description="How long it must be outside to have left")
    occupied_seconds: Seconds = Field(default=10.0, description="A zone that is not empty for so long is occupied")


class Line(_Table):
    """``[[settings.lines]]``: a line; forward is from the left to the right of one who looks from start to end."""

    name: AreaName = Field(description="Named in the events")
    start: Point = Field(description="[x, y], each from 0 to 1")
    end: Point = Field(description="[x, y], each from 0 to 1")


class Mask(_Table):
    """``[[settings.masks]]``: an area that is none of our business."""

    name: AreaName = Field(description="For whoever reads this file")
    polygon: Corners = Field(description="Corners [x, y]: never analysed, black in every picture")


class Health(_Table):
    """``[settings.health]``: when the camera itself is called faulty."""

    hold_seconds: float = Field(default=4.0, ge=1, le=600, description="How long a fault must last to be reported")
    clear_seconds: float = Field(default=4.0, ge=1, le=600, description="How long it must be gone to be over")
    moved: float = Field(
        default=0.02, gt=0, le=0.5, description="Shift of the picture that is a moved camera, as a share of its width"
    )
    ignored: list[Fault] = Field(default=[], description="Faults that are not looked for at this camera")


class Reading(_Table):
    """``[settings.reading]``: what is read of vehicles in a zone. Plates name persons: off unless somebody says so."""

    plates: bool = Field(default=False, description="Number plates; needs the extra `plates` of this package")
    containers: bool = Field(default=False, description="Container codes (ISO 6346); needs the same extra")
    zones: list[AreaName] = Field(default=[], description="Zones in which is read; empty: in all of them")


class WatchSettings(DriverSettings):
    """Settings of every driver that watches a camera's pictures."""

    frames_per_second: float = Field(
        default=10.0, gt=0, le=30, description="Pictures analysed each second; with 5 a crowd is counted less well"
    )
    analysis_height: int = Field(
        default=360, ge=120, le=720, description="Lines of the picture that is analysed; larger ones are scaled down"
    )
    smallest: float = Field(
        default=0.001, gt=0, le=0.5, description="Share of the picture that a moving object must cover to be one"
    )
    motion: bool = Field(default=False, description="Whether motion anywhere in the picture is an event")
    zones: list[Zone] = Field(default=[], max_length=32, description="Areas in which objects are counted")
    lines: list[Line] = Field(default=[], max_length=32, description="Lines that objects cross")
    masks: list[Mask] = Field(default=[], max_length=32, description="Areas never analysed, black in every picture")
    health: Health = Health()
    reading: Reading = Reading()
    pictures: list[Pictured] = Field(default=[], description="Events that come with a picture as evidence")
    picture_side: int = Field(
        default=640, ge=160, le=3840, description="Longest side of these pictures in pixels: no more than is needed"
    )
    events_per_minute: float = Field(
        default=30.0, gt=0, le=6000, description="Events about the scene; what is beyond that is only counted"
    )
