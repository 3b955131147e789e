"""A site's own library is kept whole, with a licence for each entry, and a damaged one is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_agent.processing.spectra.search import search
from edge_agent.processing.spectra.spectrum import Technique
from edge_agent.simulate.spectra import X, as_measured, jcamp, made_up, spc
from edge_agent.spectral_library import MAGIC, Import, LibraryError, Provenance, load

OWN = Provenance("own work", "us")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "spectra"
    (folder / "more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for seed in range(3):
        counts = as_measured(made_up("x", seed).bands(X), rng)
        (folder / f"s{seed}.jdx").write_bytes(
            jcamp(f"sugar {seed}", X, counts, extra=f"##CAS REGISTRY NO=50-0{seed}-1\r\n")
        )
    (folder / "more" / "s3.spc").write_bytes(spc("sugar 3", X, as_measured(made_up("x", 3).bands(X), rng)))
    (folder / "readme.txt").write_text("not a spectrum")
    return folder


def made(folder: Path, out: Path, provenance: Provenance = OWN) -> Path:
    making = Import(folder, Technique.RAMAN, provenance)
    for _ in making:
        pass
    making.write(out)
    return out


def test_a_folder_becomes_a_library_and_what_is_none_is_named(folder: Path, tmp_path: Path) -> None:
    making = Import(folder, Technique.RAMAN, OWN)
    taken = {each.file: each for each in making}
    assert taken["readme.txt"].problem
    assert sum(each.spectra for each in taken.values()) == 4
    assert making.write(tmp_path / "own" / "raman.spectra") == 4
    library = load(tmp_path / "own" / "raman.spectra")
    assert [entry.name for entry in library.entries] == ["sugar 3", "sugar 0", "sugar 1", "sugar 2"]
    assert {entry.licence for entry in library.entries} == {"own work"}
    assert library.substances[1] == "50-00-1"
    assert len(library.shelf) == 4


def test_a_spectrum_of_the_library_finds_itself_in_the_file(folder: Path, tmp_path: Path) -> None:
    library = load(made(folder, tmp_path / "lib"))
    own = library.shelf
    for at in range(4):
        from edge_agent.processing.spectra.prepare import Prepared

        bands, slope = (rows.exact[at].astype(np.float64) for rows in (own.bands, own.slopes))
        hit = search(own, Prepared(bands, slope, int(own.starts[at]), int(own.ends[at])))[0]
        assert (hit.entry, round(hit.derivative, 9), round(hit.correlation, 9)) == (at, 1.0, 1.0)


def test_a_manifest_says_name_licence_and_source_for_each_file(folder: Path, tmp_path: Path) -> None:
    (folder / "MANIFEST.csv").write_text(
        "file,name,cas,licence,source\ns0.jdx,Glucose,50-99-7,CC0,Lab A\nmore/s3.spc,Salt,,CC BY 4.0,Lab B\n"
    )
    entries = {entry.file: entry for entry in load(made(folder, tmp_path / "lib")).entries}
    assert (entries["s0.jdx"].name, entries["s0.jdx"].cas, entries["s0.jdx"].licence) == ("Glucose", "50-99-7", "CC0")
    assert (entries["more/s3.spc"].name, entries["more/s3.spc"].source) == ("Salt", "Lab B")
    assert entries["s1.jdx"].licence == "own work"


def test_nothing_is_taken_without_a_licence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="has no licence"):
        made(folder, tmp_path / "lib", Provenance())
    assert not (tmp_path / "lib").exists()


def test_a_folder_without_a_spectrum_makes_no_library(folder: Path, tmp_path: Path) -> None:
    making = Import(folder, Technique.INFRARED, OWN)
    assert all(each.problem for each in making)
    with pytest.raises(LibraryError, match="no infrared spectrum"):
        making.write(tmp_path / "lib")
    with pytest.raises(LibraryError, match="no folder"):
        Import(tmp_path / "nowhere", Technique.RAMAN, OWN)


def test_damage_anywhere_is_found(folder: Path, tmp_path: Path) -> None:
    path = made(folder, tmp_path / "lib")
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    missed = 0
    for at in [*range(40), *rng.integers(0, len(good), 60).tolist()]:
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        try:
            load(path)
        except LibraryError:
            continue
        missed += 1
    assert missed <= 3  # the few bytes between the arrays, which nobody reads
    for length in (0, 5, 20, 1000, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(LibraryError):
            load(path)


def test_what_to_do_is_said_of_a_missing_foreign_or_newer_file(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="edge-agent library import"):
        load(tmp_path / "missing")
    path = made(folder, tmp_path / "lib")
    good = path.read_bytes()
    path.write_bytes(b"PK\3\4" + good[4:])
    with pytest.raises(LibraryError, match="is no library"):
        load(path)
    path.write_bytes(MAGIC + b"\x09\0\0\0" + good[12:])
    with pytest.raises(LibraryError, match="version 9"):
        load(path)


def test_a_library_is_replaced_as_a_whole(folder: Path, tmp_path: Path) -> None:
    path = made(folder, tmp_path / "lib")
    before = load(path)
    (folder / "s0.jdx").unlink()
    made(folder, path)
    assert len(load(path).entries) == 3
    assert before.shelf.bands.exact[1].any()  # still mapped: the old file lives as long as somebody reads it
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["lib"]
