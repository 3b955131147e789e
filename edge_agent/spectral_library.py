"""A site's own library of spectra: one file, mapped into memory, with licence and provenance for each entry.

Nothing licensed ships with the agent. ``edge-agent library import`` makes the file from a folder of spectra; it holds a
magic word, a header in JSON with its checksum, and the arrays of ``processing.spectra.search.Shelf`` with theirs.
"""

from __future__ import annotations

import csv
import hashlib
import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_agent.durable import replacing
from edge_agent.processing.spectra.baseline import Grid, absorbing
from edge_agent.processing.spectra.polystyrene import Correction, check
from edge_agent.processing.spectra.prepare import GRIDS, Prepared, prepare
from edge_agent.processing.spectra.read import MAX_BYTES, read
from edge_agent.processing.spectra.search import Rows, Shelf, shelve
from edge_agent.processing.spectra.spectrum import Spectrum, SpectrumError, Technique

MAGIC: Final = b"EDGESPEC"
VERSION: Final = 1
MANIFEST: Final = "MANIFEST.csv"
MAX_ENTRIES: Final = 200_000
_HEAD: Final = struct.Struct("<8sIIQ")
_ALIGNMENT: Final = 64
_MAX_HEADER: Final = 256 * 1024**2
_ARRAYS: Final = ("bands", "bands8", "bands_totals", "bands_lost", "slopes", "slopes8", "slopes_totals", "slopes_lost",
                  "starts", "ends")  # fmt: skip
_DTYPES: Final = ("<f4", "|i1", "<i4", "<f4") * 2 + ("<i4", "<i4")


class LibraryError(Exception):
    """A library that cannot be used or made; says what to do."""


class Entry(BaseModel):
    """Where one spectrum of a library comes from, and under what licence it is held."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Of the substance, as it is shown")
    cas: str = Field(default="", description="CAS number, by which entries of one substance are known")
    licence: str
    source: str = Field(description="Who measured or published it")
    file: str
    sha256: str = Field(description="Of the file it was taken from")

    @property
    def substance(self) -> str:
        """The same for all entries of one substance."""
        return self.cas or self.name.casefold()


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid")

    technique: Technique
    first: float
    step: float = Field(gt=0)
    count: int = Field(ge=64, le=8192)
    entries: list[Entry] = Field(max_length=MAX_ENTRIES)
    checksums: dict[str, int]


@dataclass(frozen=True, slots=True)
class Library:
    """An open library."""

    path: Path
    shelf: Shelf
    entries: tuple[Entry, ...]
    substances: tuple[str, ...]
    identity: str
    """The beginning of the SHA-256 of its header, which holds the checksums of all the rest."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one file: how many spectra were taken, or why none was."""

    file: str
    spectra: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is said of all entries that the manifest says nothing of."""

    licence: str = ""
    source: str = ""
    polystyrene: Path | None = None
    """Spectrum of polystyrene by the instrument that measured them, by which their wavenumbers are corrected."""


class Import:
    """A library in the making: iterate over it to read the files one after the other, then ``write``."""

    def __init__(self, folder: Path, technique: Technique, provenance: Provenance, grid: Grid | None = None) -> None:
        if technique not in GRIDS:
            raise LibraryError(f"Libraries are of raman or infrared spectra, not of {technique.value}.")
        if not folder.is_dir():
            raise LibraryError(f"There is no folder {folder}.")
        self.grid = grid or GRIDS[technique]
        self.technique = technique
        self._folder = folder
        self._provenance = provenance
        self._manifest = _manifest(folder / MANIFEST)
        self.files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
        self._prepared: list[Prepared] = []
        self._entries: list[Entry] = []
        self._corrections: dict[Path, Correction] = {}

    def __iter__(self) -> Iterator[Taken]:
        for path in self.files:
            name = str(path.relative_to(self._folder))
            try:
                yield Taken(name, self._take(path, name))
            except SpectrumError as error:
                yield Taken(name, 0, error.message)
            except OSError as error:
                yield Taken(name, 0, f"{os.strerror(error.errno or 0)}.")

    def _take(self, path: Path, name: str) -> int:
        if path.stat().st_size > MAX_BYTES:
            raise SpectrumError("too-many-points", f"The file is larger than {MAX_BYTES >> 20} MiB.")
        data = path.read_bytes()
        before = len(self._entries)
        said = self._manifest.get(name, {})
        film = self._folder / said["polystyrene"] if said.get("polystyrene") else self._provenance.polystyrene
        for spectrum in read(data):
            if spectrum.technique not in {self.technique, Technique.OTHER}:
                continue
            entry = self._entry(spectrum, said, name, data)
            if film is not None:
                spectrum = self._correction(film).applied(absorbing(spectrum))  # noqa: PLW2901
            self._prepared.append(prepare(spectrum, self.grid))
            self._entries.append(entry)
        if len(self._entries) == before:
            raise SpectrumError("unsupported-spectrum", f"It holds no {self.technique.value} spectrum.")
        if len(self._entries) > MAX_ENTRIES:
            raise LibraryError(f"A library holds at most {MAX_ENTRIES} spectra.")
        return len(self._entries) - before

    def _correction(self, film: Path) -> Correction:
        """The correction by a spectrum of polystyrene, measured once for each."""
        if film not in self._corrections:
            try:
                spectrum = replace(read(film.read_bytes())[0], technique=self.technique)
                self._corrections[film] = check(absorbing(spectrum)).correction
            except OSError as error:
                raise LibraryError(f"{film} cannot be read ({os.strerror(error.errno or 0)}).") from None
            except SpectrumError as error:
                raise LibraryError(f"{film} corrects nothing: {error.message}") from None
        return self._corrections[film]

    def _entry(self, spectrum: Spectrum, said: dict[str, str], file: str, data: bytes) -> Entry:
        remarks = spectrum.remarks
        licence = said.get("licence") or self._provenance.licence
        if not licence:
            raise LibraryError(f"{file} has no licence: give --licence, or a column 'licence' in {MANIFEST}.")
        owner = remarks.get("OWNER") or remarks.get("ORIGIN") or ""
        return Entry(
            name=_line(said.get("name") or spectrum.title) or Path(file).stem,
            cas=_line(said.get("cas") or remarks.get("CASREGISTRYNO", "")),
            licence=licence,
            source=_line(said.get("source") or self._provenance.source or owner),
            file=file,
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def write(self, path: Path) -> int:
        """Write the library, whole or not at all; the number of its entries.

        Raises:
            LibraryError: there is nothing to write, or it cannot be written.
        """
        if not self._entries:
            raise LibraryError(f"{self._folder} holds no {self.technique.value} spectrum that can be read.")
        shelf = shelve(self.technique, self.grid, self._prepared)
        _write(path, shelf, self._entries)
        return len(self._entries)


def _line(text: str) -> str:
    """The first line of a text, which may be long."""
    return next(iter(text.strip().splitlines()), "").strip()[:200]


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as opened:
            rows = list(csv.DictReader(opened))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, csv.Error) as error:
        raise LibraryError(f"{path} cannot be read: {error}") from None
    return {row["file"]: {key: value or "" for key, value in row.items() if key} for row in rows if row.get("file")}


def _write(path: Path, shelf: Shelf, entries: list[Entry]) -> None:
    arrays = [np.ascontiguousarray(array, dtype) for array, dtype in zip(_arrays(shelf), _DTYPES, strict=True)]
    header = _Header(
        technique=shelf.technique,
        first=shelf.grid.first,
        step=shelf.grid.step,
        count=shelf.grid.count,
        entries=entries,
        checksums={name: zlib.crc32(array.data) for name, array in zip(_ARRAYS, arrays, strict=True)},
    )
    text = header.model_dump_json().encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, mode=0o644) as temporary, temporary.open("wb") as out:
            out.write(_HEAD.pack(MAGIC, VERSION, zlib.crc32(text), len(text)))
            out.write(text)
            for array in arrays:
                out.write(bytes(-out.tell() % _ALIGNMENT))
                out.write(array.data)
    except OSError as error:
        raise LibraryError(f"{path} cannot be written ({os.strerror(error.errno or 0)}).") from None


def _arrays(shelf: Shelf) -> tuple[NDArray[Any], ...]:
    rows = [each for kind in (shelf.bands, shelf.slopes) for each in (kind.exact, kind.small, kind.totals, kind.lost)]
    return (*rows, shelf.starts, shelf.ends)


def load(path: Path) -> Library:
    """Map a library into memory, and compare all of it with its checksums.

    Raises:
        LibraryError: it is missing, damaged, or of another version; says what to do.
    """
    try:
        with path.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            if size < _HEAD.size:
                raise LibraryError(f"{path} is no library of spectra: make one with `edge-agent library import`.")
            mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise LibraryError(
            f"The library {path} cannot be read ({os.strerror(error.errno or 0)}): make it with "
            "`edge-agent library import`."
        ) from None
    magic, version, checksum, length = _HEAD.unpack_from(mapped)
    if magic != MAGIC:
        raise LibraryError(f"{path} is no library of spectra: make one with `edge-agent library import`.")
    if version != VERSION:
        raise LibraryError(f"{path} is a library of version {version}, and {VERSION} is read: import it anew.")
    damaged = LibraryError(f"The library {path} is damaged: import it anew.")
    if length > min(size - _HEAD.size, _MAX_HEADER):
        raise damaged
    text = mapped[_HEAD.size : _HEAD.size + length]
    if zlib.crc32(text) != checksum:
        raise damaged
    try:
        header = _Header.model_validate(json.loads(text))
        arrays = list(_mapped(mapped, _HEAD.size + length, header))
    except (ValueError, ValidationError, KeyError):
        raise damaged from None
    starts, ends = arrays[8:]
    if ((starts < 0) | (ends > header.count) | (starts > ends)).any():
        raise damaged
    shelf = Shelf(
        header.technique,
        Grid(header.first, header.step, header.count),
        Rows(*arrays[:4]),
        Rows(*arrays[4:8]),
        starts,
        ends,
    )
    entries = tuple(header.entries)
    identity = hashlib.sha256(text).hexdigest()[:16]
    return Library(path, shelf, entries, tuple(entry.substance for entry in entries), identity)


def _mapped(mapped: mmap.mmap, at: int, header: _Header) -> Iterator[NDArray[Any]]:
    n, count = len(header.entries), header.count
    shapes = ((n, count), (n, count), (n, 2), (n,)) * 2 + ((n,), (n,))
    for name, dtype, shape in zip(_ARRAYS, _DTYPES, shapes, strict=True):
        at += -at % _ALIGNMENT
        array: NDArray[Any] = np.frombuffer(mapped, dtype, int(np.prod(shape)), at).reshape(shape)
        if zlib.crc32(array.data) != header.checksums[name]:
            raise ValueError(name)
        at += array.nbytes
        yield array
