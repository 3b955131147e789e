"""Spectra from the bytes of a file, whatever its format."""

from __future__ import annotations

from typing import Final

from edge_agent.processing.spectra import jcamp, spc, text
from edge_agent.processing.spectra.spectrum import Spectrum, SpectrumError

MAX_BYTES: Final = 32 * 1024**2

_FOREIGN: Final = {
    b"WDF1": "Renishaw WDF",
    b"\x0a\x0a\xfe\xfe": "Bruker OPUS",
    b"Spectral Data File": "Thermo OMNIC",
    b"PEPE": "PerkinElmer SP",
}
_CONTROLS: Final = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26})


def read(data: bytes) -> tuple[Spectrum, ...]:
    """All the spectra of a file in JCAMP-DX, Galactic SPC or columns of text.

    Raises:
        SpectrumError: see there.
    """
    if len(data) > MAX_BYTES:
        raise SpectrumError("too-many-points", f"The file is larger than {MAX_BYTES >> 20} MiB.")
    if jcamp.is_jcamp(data):
        return jcamp.parse(data)
    if spc.is_spc(data):
        return spc.parse(data)
    for mark, name in _FOREIGN.items():
        if data.startswith(mark):
            raise SpectrumError(
                "unsupported-spectrum", f"This is {name}, which is not public: let the instrument save JCAMP-DX or SPC."
            )
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not utf16 and len(data[:4096].translate(None, _CONTROLS)) < len(data[:4096]):
        raise SpectrumError("not-a-spectrum", "This is neither JCAMP-DX nor SPC nor text.")
    return text.parse(data)


def media_type(data: bytes) -> str:
    """The media type of a file that could be read."""
    if jcamp.is_jcamp(data):
        return "chemical/x-jcamp-dx"
    return "application/x-galactic-spc" if spc.is_spc(data) else "text/plain"
