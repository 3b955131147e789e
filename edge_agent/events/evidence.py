"""Evidence: the pictures and raw bytes behind an event, published beside it and referred to by hash."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class EvidenceReference(BaseModel):
    """How an event names one piece of its evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str = Field(description="What it shows: page, raw, thumbnail ...", examples=["page"])
    sha256: Sha256
    media_type: str = Field(examples=["image/jpeg"])
    size: int = Field(ge=0, description="Length in bytes")
    sent: Literal["no", "thumbnail", "full"] = Field(
        default="no", description="Whether the bytes themselves are published on the evidence topic"
    )


def sha256(data: bytes) -> str:
    """The hash by which evidence is named, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
