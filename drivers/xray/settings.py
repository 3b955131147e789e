"""What every X-ray driver may be told about its scanner and about what is made of its scans."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ByteSize, Field

from drivers.folder import FolderSettings

Limit = Annotated[str, Field(pattern=r"^[a-z0-9_]+ (>=|<=) -?[0-9]+([.][0-9]+)?$")]
"""What a site allows one figure of its scanner's health to be. ASTM F792 sets none: they are the site's own."""


class XraySettings(FolderSettings):
    """Settings of every X-ray driver."""

    patience_seconds: float = Field(
        default=10, ge=0, le=600, description="How much longer to wait for the rest of a scan, or of a file"
    )
    max_bytes: ByteSize = Field(
        default=ByteSize(256 * 1024**2), description="Scans of more, all files together, are set aside unread"
    )
    objects: Literal["auto", "baggage", "vehicle"] = Field(
        default="auto", description="What is scanned, so what is always dark; auto: by the size of the pixels"
    )
    highest_kev: float = Field(
        default=160, ge=40, le=20_000, description="The tube's kV, or the highest energy of a linear accelerator"
    )
    views: list[str] = Field(
        default=["composite"], max_length=3, description="Views of the scan that go with its event as evidence"
    )
    palette: str = Field(default="standard", description="Colours of materials")
    reports: str = Field(
        default="", description="Folder for threat detection reports (DICOS TDR) with our proposals, for a station"
    )
    vehicle: str = Field(
        default="",
        max_length=100,
        description="What the scanner's metadata calls the vehicle's identifier, e.g. PatientID in DICOS; empty: scans "
        "are not compared with the vehicle's earlier one",
    )
    earlier_scans: int = Field(default=200, ge=1, le=10_000, description="How many vehicles are remembered")
    earlier_bytes: ByteSize = Field(default=ByteSize(4 * 1024**3), description="... in how many bytes at most")
    test_piece: str = Field(default="simulated", description="The scanner's test piece, or the path of its description")
    test_scans: str = Field(
        default="", max_length=200, description="Regular expression of the names of test piece scans; empty: none come"
    )
    limits: list[Limit] = Field(default=[], description="What the scanner's health figures may be here")
    detector: str = Field(default="", description="ONNX model of the site's own detector (needs edge-agent[detector])")
    detector_labels: list[str] = Field(default=[], description="Names of the model's classes")
    detector_score: float = Field(default=0.5, ge=0, le=1, description="Boxes below are left out")
    detector_mode: Literal["shadow", "proposals"] = Field(
        default="shadow",
        description="shadow: its boxes go beside the proposals, to be judged; proposals: they become proposals",
    )
