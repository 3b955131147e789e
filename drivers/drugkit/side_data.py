"""What is known of a colour test besides its picture: which reagent, which kit, when the drop fell."""

from __future__ import annotations

import io
import json
import warnings
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Final

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

_DESCRIPTION: Final = 270
"""TIFF and EXIF tag ImageDescription, where a phone's program can leave it."""
_MAX_TEXT: Final = 4096

Short = Annotated[str, Field(max_length=64)]


@dataclass(frozen=True, slots=True)
class Kit:
    """What the device's file says, unless the picture itself does."""

    reagent: str = ""
    lot: str = ""
    discard: date | None = None
    seconds: float | None = None
    test: str = ""
    step: int | None = None


class SideData(BaseModel):
    """JSON in a picture's ImageDescription, e.g. ``{"reagent": "A.5", "seconds": 75, "lot": "K-1042"}``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reagent: Short | None = None
    lot: Short | None = None
    discard: date | None = None
    seconds: Annotated[float, Field(ge=0, le=86400)] | None = None
    test: Short | None = None
    step: Annotated[int, Field(ge=1, le=9)] | None = None


def with_side_data(kit: Kit, data: bytes) -> Kit:
    """A kit with what a picture file says about its test; what is no such description says nothing."""
    said = _description(data)
    return replace(kit, **{name: value for name, value in said.items() if value is not None})


def _description(data: bytes) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                text = picture.getexif().get(_DESCRIPTION)
    except Exception:  # damaged metadata says nothing; the pixels are judged elsewhere
        return {}
    if not isinstance(text, str) or len(text) > _MAX_TEXT or not text.lstrip().startswith("{"):
        return {}
    try:
        return SideData.model_validate(json.loads(text)).model_dump()
    except (ValueError, ValidationError, RecursionError):
        return {}
