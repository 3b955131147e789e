"""Evidence: the pictures and raw bytes behind an event, published beside it and referred to by hash."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class EvidenceReference(BaseModel):
    """How an event names one piece of its evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str = Field(description="What it shows; a thumbnail of it follows as {role}-thumbnail", examples=["page"])
    sha256: Sha256
    media_type: str = Field(examples=["image/jpeg"])
    size: int = Field(ge=0, description="Length in bytes")
    sent: bool = Field(description="Whether the bytes are published, on the device's topic evidence/{sha256}")


def sha256(data: bytes) -> str:
    """The hash by which evidence is named, as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
