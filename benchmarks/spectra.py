"""Spectra: how many files are read, and what is found in a library, against the peers and plain NumPy in the same run.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.spectra ../shared/data/drugkit/spectra

Readers against ``jcamp`` and ``spc-io`` (extra ``benchmarks``); a file counts as read if every spectrum has as many x
as y. Then polystyrene on real instruments, what a library may claim, and the time of a search. Nothing was fitted to
these files but the rule that a less alike spectrum needs a greater lead (``identify``), which was chosen with the gas
spectra in view.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.signal import savgol_filter

from edge_agent.processing.spectra.baseline import Grid, absorbing, flattened
from edge_agent.processing.spectra.identify import identify
from edge_agent.processing.spectra.polystyrene import check
from edge_agent.processing.spectra.prepare import GRIDS, SMOOTHING, Prepared, prepare
from edge_agent.processing.spectra.read import read
from edge_agent.processing.spectra.search import TOP, Shelf, search, shelve, warm
from edge_agent.processing.spectra.spectrum import Spectrum, SpectrumError, Technique

Array = NDArray[np.float64]
SEED: Final = 20261125
INSTRUMENTS: Final = (
    "PST02_Zolix785*.txt", "PST02_iRPlus785*.txt", "PST10_iR532*.txt", "PST10_iR785*.txt", "PST_532_SEX139.txt",
    "PST_532nm_EZI860.txt", "PST_AfCal*.txt", "PST_Reflex532*.txt", "PST_WITEcAlpha532*.spc", "PST_WiICV532*.txt",
)  # fmt: skip

console = Console()


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the real spectra, one folder for each source")
    parser.add_argument("--entries", type=int, default=10_000, help="spectra in the library whose search is timed")
    arguments = parser.parse_args()
    readers(arguments.folder)
    instruments(arguments.folder)
    claims(arguments.folder)
    mixtures()
    times(arguments.entries)


def readers(folder: Path) -> None:
    """Files read by us and by the peers."""
    table = Table(
        "files", "edge-agent", "refused with a reason", "ms (median)", "peer", "peer read", "peer ms", title="Readers"
    )
    spc = [path for path in sorted(folder.glob("*/*")) if path.suffix.lower() == ".spc"]
    for kind, files, peer in (("JCAMP-DX", sorted(folder.glob("jcamp_*/*")), _jcamp), ("SPC", spc, _spc_io)):
        own = [_try(_own, path) for path in files]
        theirs = [_try(peer, path) for path in files]
        table.add_row(
            f"{len(files)} {kind}",
            str(sum(right for right, _ in own)),
            str(sum(not right for right, _ in own)),
            f"{median(ms for _, ms in own):.2f}",
            peer.__name__.strip("_").replace("_", "-"),
            str(sum(right for right, _ in theirs)),
            f"{median(ms for _, ms in theirs):.2f}",
        )
    console.print(table)


def _try(reader: Callable[[Path], bool], path: Path) -> tuple[bool, float]:
    started = time.perf_counter()
    right = False
    with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
        right = reader(path)
    return right, (time.perf_counter() - started) * 1000


def _own(path: Path) -> bool:
    return all(each.x.size == each.y.size > 0 for each in read(path.read_bytes()))


def _jcamp(path: Path) -> bool:
    import jcamp  # noqa: PLC0415

    found = jcamp.readfile(str(path))
    parts = found.get("children") or [found]
    return all(len(part["x"]) == len(part["y"]) > 0 and _counted(part) for part in parts)


def _counted(part: dict[str, Any]) -> bool:
    said = part.get("npoints")
    return not isinstance(said, int | float) or int(said) == len(part["x"])


def _spc_io(path: Path) -> bool:
    from spc_io import SPC  # noqa: PLC0415

    parts = list(SPC.from_bytes_io(io.BytesIO(path.read_bytes())))
    return bool(parts) and all(len(part.xarray) == len(part.yarray) > 0 for part in parts)


def instruments(folder: Path) -> None:
    """The same polystyrene on real instruments, before and after correction."""
    grid = GRIDS[Technique.RAMAN]
    table = Table("instrument", "lines", "worst off, 1/cm", "after correction", title="Polystyrene")
    before, after = [], []
    for pattern in INSTRUMENTS:
        for path in sorted(folder.glob(f"raman_ramanchada2/{pattern}")):
            spectrum = absorbing(replace(read(path.read_bytes())[0], technique=Technique.RAMAN))
            checked = check(spectrum)
            table.add_row(path.stem[:40], str(len(checked.lines)), f"{checked.worst:.1f}", f"{checked.residual:.1f}")
            before.append(prepare(spectrum, grid))
            after.append(prepare(checked.correction.applied(spectrum), grid))
    console.print(table)
    for name, prepared in (("as measured", before), ("corrected", after)):
        values = _pairwise(prepared)
        console.print(
            f"  derivative HQI of {len(values)} pairs {name}: min {min(values):.3f}, median {median(values):.3f}"
        )


def _pairwise(prepared: list[Prepared]) -> list[float]:
    shelf = shelve(Technique.RAMAN, GRIDS[Technique.RAMAN], prepared)
    likeness = [{hit.entry: hit.derivative for hit in search(shelf, each, top=len(prepared))} for each in prepared]
    return [likeness[one][other] for one in range(len(prepared)) for other in range(one)]


def infrared(folder: Path) -> Iterator[tuple[str, Prepared, str]]:
    """Every infrared spectrum of the JCAMP-DX files: its CAS number or title, ready to be compared, and the folder."""
    for path in sorted(folder.glob("jcamp_*/*")):
        with contextlib.suppress(SpectrumError):
            for spectrum in read(path.read_bytes()):
                if spectrum.technique is Technique.INFRARED:
                    name = spectrum.remarks.get("CASREGISTRYNO", "").strip() or spectrum.title.lower()
                    yield name, prepare(spectrum, GRIDS[Technique.INFRARED]), path.parent.name


def claims(folder: Path) -> None:
    """What is claimed of substances that the library has, and of those that it lacks."""
    entries = [entry for entry in infrared(folder) if entry[2] != "jcamp_hyperspec"]
    table = Table("query", "library", "verdict", "best", "derivative", "bands", "margin", title="Another laboratory")
    for item in json.loads((folder / "ftir_enfsi" / "enfsi_subset.json").read_text()):
        curve = item["spectrum"]
        y = np.array(curve["y"], np.float64)
        x = np.linspace(curve["firstX"], curve["lastX"], y.size)
        query = Spectrum(x, y, technique=Technique.INFRARED, x_unit="1/cm", y_unit="transmittance")
        for library, kept in (("ATR", [each for each in entries if each[2] == "jcamp_stackir"]), ("all", entries)):
            names = [name for name, _, _ in kept]
            found = identify(_shelf(kept), prepare(query, GRIDS[Technique.INFRARED]), names)
            best = found.hits[0]
            numbers = (f"{value:.3f}" for value in (best.derivative, best.correlation, found.margin or 0.0))
            table.add_row(item["name"], f"{library} ({len(kept)})", found.verdict.value, names[best.entry], *numbers)
    console.print(table)
    gases = [entry for entry in entries if entry[0].replace("-", "").isdigit()]
    said: dict[str, int] = {}
    for name, query_entry, _ in gases:
        kept = [each for each in gases if each[0] != name]
        verdict = identify(_shelf(kept), query_entry, [each[0] for each in kept]).verdict.value
        said[verdict] = said.get(verdict, 0) + 1
    console.print(f"  {len(gases)} spectra with a CAS number, each against all others without its substance: {said}")


def _shelf(entries: list[tuple[str, Prepared, str]]) -> Shelf:
    return shelve(Technique.INFRARED, GRIDS[Technique.INFRARED], [prepared for _, prepared, _ in entries])


def synthetic(count: int, grid: Grid, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Bands and slopes of made-up spectra, each of shape (count, grid.count)."""
    x = grid.x()
    bands = np.zeros((count, grid.count), np.float32)
    for row in bands:
        for _ in range(int(rng.integers(8, 25))):
            at, width = rng.uniform(x[0], x[-1]), rng.uniform(5, 25)
            low, high = np.searchsorted(x, [at - 5 * width, at + 5 * width])
            row[low:high] += rng.exponential() / (1 + ((x[low:high] - at) / width) ** 2)
    window = 2 * round(SMOOTHING / grid.step / 2) + 1
    return bands, savgol_filter(bands, window, 2, deriv=1, delta=grid.step, axis=1).astype(np.float32)


def _made(bands: NDArray[np.float32], slopes: NDArray[np.float32], grid: Grid) -> Shelf:
    prepared = [
        Prepared(row.astype(np.float64), slope.astype(np.float64), 0, grid.count)
        for row, slope in zip(bands, slopes, strict=True)
    ]
    return shelve(Technique.INFRARED, grid, prepared)


def mixtures(trials: int = 300) -> None:
    """Two made-up substances together, at random shares of the signal."""
    rng = np.random.default_rng(SEED)
    grid = GRIDS[Technique.INFRARED]
    bands, slopes = synthetic(500, grid, rng)
    shelf, names = _made(bands, slopes, grid), [str(at) for at in range(500)]
    said: dict[str, int] = {}
    for _ in range(trials):
        one, other = (int(at) for at in rng.choice(500, 2, replace=False))
        share = rng.uniform(0.3, 0.7)
        parts = [(curve[at] / np.linalg.norm(slopes[at])) for curve in (bands, slopes) for at in (one, other)]
        noise = rng.normal(0, 0.01 * float(parts[0].max()), grid.count)
        mixed = share * parts[0] + (1 - share) * parts[1] + noise
        slope = share * parts[2] + (1 - share) * parts[3]
        found = identify(shelf, Prepared(mixed.astype(np.float64), slope.astype(np.float64), 0, grid.count), names)
        right = found.mixture is not None and set(found.mixture.entries) == {one, other}
        key = "right mixture" if right else f"{found.verdict.value}{' of others' if found.mixture else ''}"
        said[key] = said.get(key, 0) + 1
    console.print(f"Mixtures: {trials} of two of 500, 30 to 70 % of the signal: {said}")


def _shown(seconds: list[float]) -> tuple[str, str]:
    return f"{median(seconds) * 1000:.2f}", f"{min(seconds) * 1000:.2f}"


def times(entries: int) -> None:
    """One search, against what NumPy needs for one of its two measures, and whether the top ten are the same."""
    rng = np.random.default_rng(SEED)
    grid = GRIDS[Technique.INFRARED]
    bands, slopes = synthetic(entries, grid, rng)
    shelf = _made(bands, slopes, grid)
    warm()
    queries = []
    for _ in range(40):
        one, other = (int(at) for at in rng.choice(entries, 2, replace=False))
        mixed = bands[one] + rng.uniform(0, 1) * bands[other] + rng.normal(0, 0.02, grid.count)
        window = 2 * round(SMOOTHING / grid.step / 2) + 1
        queries.append(Prepared(mixed, savgol_filter(mixed, window, 2, deriv=1, delta=grid.step), 0, grid.count))
    unit = slopes - slopes.mean(axis=1, keepdims=True)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    unit64 = slopes.astype(np.float64)
    unit64 -= unit64.mean(axis=1, keepdims=True)
    unit64 /= np.linalg.norm(unit64, axis=1, keepdims=True)
    own, matvec, plain, same = [], [], [], 0
    for query in queries:
        started = time.perf_counter()
        hits = search(shelf, query)
        own.append(time.perf_counter() - started)
        curve = query.slope - query.slope.mean()
        curve /= np.linalg.norm(curve)
        single = curve.astype(np.float32)
        started = time.perf_counter()
        np.argpartition(-(unit @ single), TOP)
        matvec.append(time.perf_counter() - started)
        exact = np.argsort(-(unit64 @ curve), kind="stable")[:TOP]
        same += [hit.entry for hit in sorted(hits, key=lambda hit: -hit.derivative)][:TOP] == exact.tolist()
    for query in queries[:5]:
        started = time.perf_counter()
        centred = slopes - slopes.mean(axis=1, keepdims=True)
        _ = centred @ query.slope.astype(np.float32) / np.linalg.norm(centred, axis=1)
        plain.append(time.perf_counter() - started)
    baseline = []
    for query in queries:
        started = time.perf_counter()
        flattened(query.bands)
        baseline.append(time.perf_counter() - started)
    table = Table(
        "",
        "ms (median)",
        "ms (best)",
        title=f"Search of {entries:,} x {grid.count}, BLAS threads {os.environ.get('OPENBLAS_NUM_THREADS', 'all')}",
    )
    table.add_row("edge-agent: derivative, bands and masked", *_shown(own))
    table.add_row("NumPy, float32, normalised beforehand: derivative only", *_shown(matvec))
    table.add_row("NumPy, float32, as it comes: derivative only", *_shown(plain))
    table.add_row("arPLS of one spectrum", *_shown(baseline))
    console.print(table)
    console.print(f"  top {TOP} in the order of float64: {same} of {len(queries)}")


if __name__ == "__main__":
    main()
