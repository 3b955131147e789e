"""How a scanner lays down a scan: which files it consists of, and what is in each. Described in TOML, no code.

The layouts that come with the agent lie in ``layouts/``; a site writes its own beside its device files and names it by
its path.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.xray.description import read

READY: Final = Path(__file__).parent / "layouts"
_SCAN: Final = "{scan}"

Channel = Literal["low", "high", "single", "material"]
Offset = Annotated[int, Field(ge=0, le=65_535)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Number(_Table):
    """An unsigned integer in a header."""

    at: Offset = Field(description="Its first byte, counted from 0")
    bytes: Literal[1, 2, 4] = 2


class Panels(_Table):
    """Channels that lie side by side in one array, each as wide as the others."""

    kind: Number | None = Field(default=None, description="Where the header says which of the arrangements it is")
    arrangements: dict[str, list[Channel]] = Field(
        description="Channels from left to right, by the value of `kind`; by any if there is only one"
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for channels in self.arrangements.values():
            if not channels or len(set(channels)) != len(channels):
                raise ValueError("an arrangement names each of its channels once")
        if self.kind is None and len(self.arrangements) != 1:
            raise ValueError("without `kind` there can be one arrangement only")
        return self


class Raw(_Table):
    """An array of pixels behind a header."""

    magic: str = Field(
        default="", pattern="^([0-9a-fA-F]{2})*$", description="How such a file begins, in hexadecimal; empty: unknown"
    )
    header_bytes: Offset = Field(description="Where the pixels begin")
    byte_order: Literal["little", "big"] = Field(description="Of header and pixels")
    width: Number | Annotated[int, Field(ge=1, le=32_768)] = Field(description="Pixels in a row, or where that stands")
    height: Number | Annotated[int, Field(ge=1, le=32_768)] = Field(description="Rows, or where that stands")
    bits: Literal[8, 16] | None = Field(default=None, description="Of a pixel; left out: see bit_depth")
    bit_depth: Number | None = Field(default=None, description="Where the header says the bits of a pixel")
    flip: Literal["none", "rows", "columns", "both"] = Field(
        default="none", description="What turns it upright: the order of its rows, of its columns, or of both reversed"
    )
    transpose: bool = Field(default=False, description="Rows and columns are exchanged, before they are flipped")
    panels: Panels | None = None
    trailer: Literal["none", "any"] = Field(default="none", description="Whether something may follow the pixels")

    @model_validator(mode="after")
    def _says_bits(self) -> Self:
        if self.bits is None and self.bit_depth is None:
            raise ValueError("says neither bits nor bit_depth")
        return self


class File(_Table):
    """One of the files of a scan."""

    name: str = Field(min_length=6, max_length=200, description="With {scan} for the part that all of its files share")
    content: Literal["raw", "dicos", "tiff", "picture", "xml", "ignored"]
    channel: Channel | None = Field(default=None, description="What it holds; left out where the file says so itself")
    raw: Raw | None = Field(default=None, description="Left out: the layout's")

    @model_validator(mode="after")
    def _has_scan_once(self) -> Self:
        if self.name.count(_SCAN) != 1 or "/" in self.name:
            raise ValueError("a file's name holds {scan} exactly once, and no /")
        return self

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What its names look like; letters may be large or small."""
        before, after = map(re.escape, self.name.split(_SCAN))
        return re.compile(f"{before}(?P<scan>.*){after}", re.IGNORECASE | re.DOTALL)


class Band(_Table):
    """Values of the material map, both ends included, and what the scanner means by them."""

    first: Annotated[int, Field(ge=0, le=255)]
    last: Annotated[int, Field(ge=0, le=255)]
    material: Literal["background", "noise", "organic", "inorganic", "metal", "unknown"]


class Layout(_Table):
    """How a scanner lays down its scans."""

    description: str
    folder_for_each_scan: bool = Field(default=False, description="The files of a scan lie in a folder of their own")
    each_file_is_a_scan: bool = Field(default=False, description="The names under `file` are alternatives")
    pitch_mm: Annotated[list[Annotated[float, Field(gt=0, le=100)]], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Distance of rows, and of columns, in the object's plane, where no file says it"
    )
    lines: Literal["rows", "columns"] = Field(
        default="rows", description="How the lines lie that the detector reads out one after the other"
    )
    air: dict[Channel, float] = Field(default={}, description="Counts of the open beam, by channel")
    dark: dict[Channel, float] = Field(default={}, description="Counts without radiation, by channel")
    channels: list[Channel] = Field(default=[], description="What a whole scan has; what is missing is said")
    band: list[Band] = Field(default=[], description="What the values of the material map stand for")
    raw: Raw | None = Field(default=None, description="Of all raw files that do not say otherwise")
    file: list[File] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _raw_is_described(self) -> Self:
        for file in self.file:
            raw = file.raw or self.raw
            if file.content == "raw" and raw is None:
                raise ValueError(f"{file.name} is raw, and neither it nor the layout has a table raw")
            if file.content == "raw" and raw is not None and (file.channel is None) == (raw.panels is None):
                raise ValueError(f"{file.name} needs either a channel or panels")
            if file.content == "tiff" and file.channel is None:
                raise ValueError(f"{file.name} does not say its channel")
        return self

    def match(self, name: str) -> tuple[str, File] | None:
        """The scan to which a file belongs by its name, and as what; None if it is no file of a scan."""
        for file in self.file:
            if (found := file.pattern.fullmatch(name)) is not None:
                return found["scan"], file
        return None


def load(layout: str) -> Layout:
    """The layout of this name, or in the file of this path.

    Raises:
        DriverError: there is none, or it has mistakes, which are said.
    """
    return read(layout, READY, "layout", Layout.model_validate)
