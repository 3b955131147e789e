"""The identifiers of DICOS (NEMA IIC 1 v03) that a scanner may use, and which of them are read."""

from __future__ import annotations

from typing import Final

_ROOT: Final = "1.2.840.10008.5.1.4.1.1.501"

CT: Final = f"{_ROOT}.1"
DX_PRESENTATION: Final = f"{_ROOT}.2.1"
DX_PROCESSING: Final = f"{_ROOT}.2.2"
TDR: Final = f"{_ROOT}.3"

IMAGES: Final = frozenset(
    {DX_PRESENTATION, DX_PROCESSING}
    | {f"{DX_PRESENTATION}.{n}" for n in range(1, 5)}  # a widespread toolkit asks for these too
    | {f"{DX_PROCESSING}.{n}" for n in range(1, 5)}
)
REPORTS: Final = frozenset({TDR} | {f"{TDR}.{n}" for n in range(1, 5)})
STORED: Final = tuple(sorted(IMAGES | REPORTS))
"""What is taken over the network. CT, AIT and QR are refused there, with the reason that DICOM has for it."""

APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1.3"
"""What DICOS clients ask for, where DICOM ones ask for .1."""

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
EXPLICIT_EXTENDED: Final = "1.2.840.10008.1.2.1.64"
"""DICOS only: no free decoder is known, so it is refused in words."""
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
RLE: Final = "1.2.840.10008.1.2.5"

SYNTAXES: Final = (EXPLICIT, IMPLICIT, JPEG_LOSSLESS_SV1, JPEG_LOSSLESS, RLE, BIG_ENDIAN)
"""Transfer syntaxes that are read, the preferred ones first."""
