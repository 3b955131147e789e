"""Spectrometers and trace detectors that drop a file for each measurement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import ByteSize, Field

from drivers.folder import Content, FolderDriver, FolderSettings
from edge_agent.calibration import Calibration
from edge_agent.driver import DriverError, DriverSettings

if TYPE_CHECKING:
    from drivers.drugkit.spectrum_reading import Site
    from edge_agent.spectral_library import Library

PRELOAD = ("drivers.drugkit.spectrum_reading",)


class ComparisonSettings(DriverSettings):
    """Settings of every driver that compares spectra."""

    library: Path | None = Field(
        default=None,
        description="File that `edge-agent library import` made; a relative path starts at the agent's state "
        "directory. Without one, spectra are only reported",
    )
    technique: Literal["raman", "infrared", "auto"] = Field(
        default="auto", description="What the instrument measures, for files that do not say"
    )
    check_days: float = Field(
        default=30, gt=0, le=366, description="How long a check of the wavenumbers with polystyrene holds"
    )


class SpectrumSettings(FolderSettings, ComparisonSettings):
    """Settings of ``drugkit.spectrum``."""

    max_bytes: ByteSize = Field(default=ByteSize(16 * 1024**2), description="Larger files are set aside unread")


class SpectrumFolder(FolderDriver[SpectrumSettings]):
    """Raman, infrared and ion mobility instruments that write JCAMP-DX, Galactic SPC or columns of text."""

    kind = "drugkit.spectrum"
    Settings = SpectrumSettings
    preload: ClassVar[tuple[str, ...]] = PRELOAD

    def __init__(self, settings: SpectrumSettings) -> None:
        super().__init__(settings)
        self._shelf = OpenLibrary(settings.library)

    def examine(self, data: bytes) -> Content:
        """Read a spectrum, and compare it with the library."""
        from drivers.drugkit.spectrum_reading import read_file

        return read_file(data, site(self.settings, self._shelf, self.calibration()))

    def probe(self) -> str:
        """Whether files could be taken, compared, and on what axis."""
        return f"{super().probe()}; {about(self._shelf, self.calibration())}"


class OpenLibrary:
    """The library of a device, opened when it is first needed, and again when its file has changed."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._opened: Library | None = None
        self._changed = -1

    def get(self) -> Library | None:
        """The library; None if there is none to use.

        Raises:
            DriverError: it cannot be used; says what to do.
        """
        from edge_agent.spectral_library import LibraryError, load

        if self._path is None:
            return None
        try:
            changed = self._path.stat().st_mtime_ns
        except OSError:
            changed = -1
        if self._opened is None or changed != self._changed:
            try:
                self._opened, self._changed = load(self._path), changed
            except LibraryError as error:
                raise DriverError(str(error)) from None
        return self._opened


def site(settings: ComparisonSettings, shelf: OpenLibrary, calibration: Calibration | None) -> Site:
    """What the spectra of a device are judged with, as it is at this moment.

    Raises:
        DriverError: its library cannot be used.
    """
    from datetime import timedelta

    from drivers.drugkit.spectrum_reading import Site
    from edge_agent.processing.spectra.spectrum import Technique

    technique = Technique.OTHER if settings.technique == "auto" else Technique(settings.technique)
    valid = timedelta(days=settings.check_days)
    return Site(technique, shelf.get(), calibration, valid)


def about(shelf: OpenLibrary, calibration: Calibration | None) -> str:
    """The library and the calibration of a device, in words."""
    library = shelf.get()
    held = f"{len(library.entries)} spectra in the library" if library is not None else "no library"
    if calibration is None:
        return f"{held}; wavenumbers never checked: see `edge-agent calibrate spectrum`"
    return f"{held}; wavenumbers checked on {calibration.made:%Y-%m-%d}"
