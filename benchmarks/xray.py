"""X-ray scans: how fast, against NumPy and OpenCV in the same run, and how right, against the simulator's exact truth.

python -m benchmarks.xray           both
python -m benchmarks.xray speed     one thread, a dual-energy pair of 2048 x 4096 pixels of 16 bits
python -m benchmarks.xray accuracy  classes, layers, masses; hidden blocks in pairs of scans of one vehicle (--pairs N)

Materials other than PMMA, aluminium and steel are unknown to the calibration, which is fitted to noisy readings of
simulated step wedges.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from edge_agent.processing.kernels import connected
from edge_agent.processing.xray.analysis import Expected, analyse
from edge_agent.processing.xray.calibration import Calibration, Reading, fit, nominal
from edge_agent.processing.xray.compare import compare
from edge_agent.processing.xray.correct import correct
from edge_agent.processing.xray.decompose import basis, peel
from edge_agent.processing.xray.kernels import AIR
from edge_agent.processing.xray.maps import classify, make
from edge_agent.processing.xray.physics import PMMA, STEEL, Material
from edge_agent.processing.xray.scan import Channel, Orientation, Scan
from edge_agent.processing.xray.tables import CLASSES, index
from edge_agent.processing.xray.views import composite, palette, shade
from edge_agent.simulate.xray.beam import sandwich
from edge_agent.simulate.xray.materials import MATERIALS
from edge_agent.simulate.xray.scanner import Scanner
from edge_agent.simulate.xray.scenes import BLOCK, bag, driven, vehicle

STEPS: Final = {
    "pmma": (2, 5, 10, 20, 40, 80, 120, 160),
    "aluminium": (1, 2, 4, 8, 16, 30, 50, 80),
    "steel": (0.5, 1, 2, 4, 8, 12, 16, 24, 32),
}
"""Thickness of the wedges' steps in mm."""
READING_NOISE: Final = 0.003
"""Relative standard deviation of a step's reading."""

PATCHES: Final = (
    ("pmma", "organic", (10, 30, 100, 200), 0.99),
    ("water", "organic", (10, 30, 100, 200), 0.99),
    ("sugar crystal", "organic", (10, 30, 100), 0.99),
    ("RDX formula", "organic", (10, 30, 100), 0.99),
    ("heroin formula", "organic", (10, 30, 100), 0.99),
    ("cocaine HCl formula", "organic", (10, 20, 50, 100), 0.96),
    ("aluminium", "inorganic", (1, 2, 4, 8, 20, 40, 60, 80), 0.97),
    ("glass", "inorganic", (2, 5, 10, 20), None),
    ("salt", "inorganic", (5, 10, 30), None),
    ("steel", "metal", (0.5, 1, 2, 5, 10, 16), 0.97),
    ("steel", "metal", (30,), 0.95),
    ("copper", "metal", (1, 5, 10), None),
)
"""Material, the class it should get, thickness in mm, and the share of pixels that the project promises."""
OTHERS: Final = (
    Material("sugar crystal", "C12H22O11", 1.59),
    Material("RDX formula", "C3H6N6O6", 1.8),
    Material("heroin formula", "C21H23NO5", 1.35),
    Material("cocaine HCl formula", "C17H22NO4Cl", 1.34),
)

console = Console()


def wedge_readings(seed: int) -> list[Reading]:
    """Readings of simulated step wedges."""
    rng, beam = np.random.default_rng(seed), sandwich()
    out = []
    for name, steps in STEPS.items():
        for step in steps:
            low, high = beam.transmission({MATERIALS[name]: np.array([float(step)])})
            noise = 1 + READING_NOISE * rng.standard_normal(2)
            out.append(Reading(name, step, float(low[0] * noise[0]), float(high[0] * noise[1])))
    return out


def speed() -> None:
    """Print what each step takes, and the compositions of NumPy and OpenCV that do the same."""
    cv2.setNumThreads(1)
    scan, calibration = _large_scan(), fit(wedge_readings(1))
    low, high = scan.low, scan.high
    assert low is not None
    assert high is not None
    corrected = correct(scan)
    colours = palette("standard")
    room = np.empty(high.shape, np.uint32)
    classes = classify(corrected, calibration)
    mask = (classes == 3).astype(np.uint8)
    opencv_room = _OpenCV(scan, calibration)
    rows: list[tuple[str, Callable[[], Any], str | None]] = [
        ("copy of the pair", lambda: (low.copy(), high.copy()), None),
        ("raw pair to coloured view: one kernel", lambda: composite(scan, corrected, calibration, colours, room), None),
        ("  the same, OpenCV and NumPy", opencv_room.coloured, "view"),
        ("  the same, NumPy", opencv_room.coloured_numpy, "view"),
        ("correct, both channels", lambda: correct(scan), None),
        ("denoise and classify", lambda: classify(corrected, calibration), None),
        ("regions with statistics, metal", lambda: connected(mask, 1, 1), None),
        ("  the same, cv2.connectedComponentsWithStats", lambda: cv2.connectedComponentsWithStats(mask), "regions"),
        ("full analysis and one view", lambda: _full(scan, calibration, colours, room), None),
    ]
    times = _alternate([run for _, run, _ in rows])
    table = Table("one thread, 2048 x 4096 x 2 x 16 bit", "ms, best", "ms, median", "ratio")
    best = [min(t) for t in times]
    for number, ((name, _, _), series) in enumerate(zip(rows, times, strict=True)):
        ratio = ""
        if number in {2, 3}:
            ratio = f"ours {best[number] / best[1]:.1f} x faster"
        elif number == 7:
            ratio = f"ours {best[7] / best[6]:.1f} x faster"
        elif number == 8:
            ratio = f"{best[8] / best[0]:.0f} x the copy"
        table.add_row(name, f"{min(series):.1f}", f"{statistics.median(series):.1f}", ratio)
    console.print(table)
    fast = composite(scan, corrected, calibration, colours, room)[..., :3].astype(np.float64)
    exact = _exact(corrected, calibration)
    there = corrected.high < AIR * np.exp(-0.2)
    error = np.abs(fast - exact)[there]
    console.print(f"colours against the exact path, where there is something: mean {error.mean():.3f} of 255")


def _large_scan() -> Scan:
    """A van, seen with 2048 elements over 4096 lines."""
    scene = vehicle(5, pitch_mm=(3000 / 2048, 6600 / 4096), hidden=(0.4, 0.5))
    return Scanner(pitch_mm=scene.pitch_mm, lines=Orientation.LINES_ARE_COLUMNS).scan(scene.layers, 1)


def _full(scan: Scan, calibration: Calibration, colours: Any, room: NDArray[np.uint32]) -> None:
    found = analyse(scan, calibration, expected=Expected("vehicle"))
    composite(scan, found.corrected, calibration, colours, room)


class _OpenCV:
    """The composition without kernels: flat field, logarithms, ratio, a palette of two dimensions."""

    def __init__(self, scan: Scan, calibration: Calibration) -> None:
        assert scan.low is not None
        assert scan.high is not None
        self.raw = (scan.low, scan.high)
        flats = correct(scan).flats
        self.gain = [
            (flats[c].rows[1][:, None] * flats[c].columns[1] / AIR).astype(np.float32)
            for c in (Channel.LOW, Channel.HIGH)
        ]
        self.dark = [
            (flats[c].rows[0][:, None] + flats[c].columns[0]).astype(np.float32) for c in (Channel.LOW, Channel.HIGH)
        ]
        ratios, depths = np.meshgrid(np.linspace(0.5, 3, 256), np.linspace(0.01, 7, 256), indexing="ij")
        shades = shade("composite", palette("standard"), calibration, ratios * depths, depths)
        self.palette = np.rint(shades).astype(np.uint8)

    def coloured(self) -> NDArray[np.uint8]:
        logs = []
        for raw, dark, gain in zip(self.raw, self.dark, self.gain, strict=True):
            flat = cv2.multiply(cv2.subtract(raw, dark, dtype=cv2.CV_32F), gain)
            logs.append(cv2.log(np.maximum(flat, np.float32(1e-5), out=flat)))
        ratio = cv2.divide(logs[0], logs[1])
        row = cv2.convertScaleAbs(ratio, alpha=102, beta=-51)
        column = cv2.convertScaleAbs(np.minimum(logs[1], 0, out=logs[1]), alpha=-36.4)
        return np.asarray(self.palette[row, column])

    def coloured_numpy(self) -> NDArray[np.uint8]:
        logs = []
        for raw, dark, gain in zip(self.raw, self.dark, self.gain, strict=True):
            logs.append(-np.log(np.maximum((raw - dark) * gain, np.float32(1e-5))))
        ratio = logs[0] / np.maximum(logs[1], np.float32(1e-4))
        row = np.clip((ratio - 0.5) * 102, 0, 255).astype(np.uint8)
        column = np.clip(logs[1] * 36.4, 0, 255).astype(np.uint8)
        return np.asarray(self.palette[row, column])


def _exact(corrected: Any, calibration: Calibration) -> NDArray[np.float64]:
    """The composite by logarithms and curves of each pixel, row by row for the sake of memory."""
    out = np.empty((*corrected.high.shape, 3))
    for start in range(0, len(out), 128):
        part = slice(start, start + 128)
        low, high = (np.clip(-np.log(np.maximum(c[part], 0.5) / AIR), 0, 11.5) for c in (corrected.low, corrected.high))
        out[part] = shade("composite", palette("standard"), calibration, low, high)
    return out


def _alternate(runs: Sequence[Callable[[], Any]], rounds: int = 9) -> list[list[float]]:
    """Milliseconds of processor time of each, in turn, so that what disturbs one disturbs all."""
    times: list[list[float]] = [[] for _ in runs]
    for lap in range(rounds + 1):
        for run, series in zip(runs, times, strict=True):
            start = time.process_time()
            run()
            if lap:  # the first lap warms up
                series.append(1000 * (time.process_time() - start))
    return times


def accuracy(pairs: int) -> None:
    """Print classes, layers, masses and hidden blocks against the truth."""
    calibration = fit(wedge_readings(1))
    MATERIALS.update({material.name: material for material in OTHERS})
    table = Table("material", "class", "share of its pixels at each thickness in mm", "promised")
    for name, wanted, steps, promised in PATCHES:
        shares = {step: class_share(name, wanted, step, calibration) for step in steps}
        cells = "  ".join(f"{step}: {share:.2%}" for step, share in shares.items())
        table.add_row(name, wanted, cells, f"{promised:.0%}" if promised else "")
    console.print(table)
    _layers(calibration)
    _masses(calibration)
    _pairs(pairs)
    _bags()


def class_share(name: str, wanted: str, millimetres: float, calibration: Calibration, side: int = 160) -> float:
    """Share of the pixels of a patch that get its class."""
    layer = np.zeros((side + 120, side + 100), np.float32)
    layer[60 : 60 + side, 50 : 50 + side] = millimetres
    corrected = correct(Scanner().scan({name: layer}, seed=int(10 * millimetres)))
    inside = classify(corrected, calibration)[62 : 58 + side, 52 : 48 + side]
    return float(np.mean(inside == CLASSES.index(wanted)))


def _layers(calibration: Calibration) -> None:
    beam = sandwich()
    table = Table("behind steel", "index by itself", "after the steel is taken away (0 plastic, 1 aluminium, 2 steel)")
    for steel in (2.0, 6.0, 10.0):
        for other in ("pmma", "cocaine HCl formula", "aluminium"):
            front = [-np.log(t) for t in beam.transmission({STEEL: np.array([steel])})]
            total = [
                -np.log(t) for t in beam.transmission({STEEL: np.array([steel]), MATERIALS[other]: np.array([30.0])})
            ]
            alone = float(index(calibration, *total)[0])
            found = peel(calibration, (front[0], front[1]), (total[0], total[1]))
            table.add_row(f"30 mm {other} behind {steel:g} mm", f"{alone:.2f}", f"{found.index[0]:.2f}")
    console.print(table)
    table = Table("layers", "PMMA, mm", "steel, mm")
    grid = [(p, s) for p in (0, 10, 20, 50, 100, 150) for s in (0, 0.5, 1, 2, 5, 10)]
    plastic, steel_mm = np.array(grid, np.float64).T
    total = [-np.log(t) for t in beam.transmission({PMMA: plastic, STEEL: steel_mm})]
    found_plastic, found_steel = basis(calibration, total[0], total[1])
    rms = [float(np.sqrt(np.mean((a - b) ** 2))) for a, b in ((found_plastic, plastic), (found_steel, steel_mm))]
    table.add_row("without noise, 0-150 mm and 0-10 mm: RMS error", f"{rms[0]:.2f}", f"{rms[1]:.3f}")
    for p, s in ((50, 1), (50, 5), (20, 10)):
        phantom = {n: np.zeros((160, 200), np.float32) for n in ("pmma", "steel")}
        phantom["pmma"][50:150, 50:150], phantom["steel"][50:150, 50:150] = p, s
        corrected = correct(Scanner().scan(phantom, 3))
        assert corrected.low is not None
        low, high = (
            -np.log(np.maximum(cv2.blur(c.astype(np.float32), (5, 5))[54:146:5, 54:146:5], 0.1) / AIR).astype(
                np.float64
            )
            for c in (corrected.low, corrected.high)
        )
        a, b = basis(calibration, low, high)
        table.add_row(
            f"{p} mm and {s} mm, means of 5 x 5", f"{a.mean():.1f} ± {a.std():.1f}", f"{b.mean():.2f} ± {b.std():.2f}"
        )
    console.print(table)


def _masses(calibration: Calibration) -> None:
    table = Table("region", "true mass, g", "effective mass, g")
    for name, thickness in (
        ("water", 60),
        ("sugar crystal", 30),
        ("cocaine HCl formula", 30),
        ("aluminium", 20),
        ("steel", 6),
    ):
        layer = np.zeros((260, 260), np.float32)
        layer[80:180, 80:180] = thickness
        found = analyse(Scanner().scan({name: layer}, 4), calibration)
        true = 8.0 * 8.0 * thickness / 10 * MATERIALS[name].density
        table.add_row(f"{thickness} mm {name}", f"{true:.0f}", f"{sum(r.mass_g or 0 for r in found.regions):.0f}")
    console.print(table)


def pair_result(seed: int, calibration: Calibration) -> tuple[bool, int]:
    """Whether the hidden block was found between two scans of a van, and how many other changes were proposed."""
    rng = np.random.default_rng(seed + 1000)
    load = str(rng.choice(["empty", "boxes", "homogeneous"]))
    after = vehicle(seed, load=load, hidden=(float(rng.uniform()), float(rng.uniform())))
    before = after.without(BLOCK)
    now, then = driven(after, 2 * seed + 1), driven(before, 2 * seed + 2)
    scanner = Scanner(pitch_mm=after.pitch_mm, lines=Orientation.LINES_ARE_COLUMNS)
    maps = [make(correct(scanner.scan(s.layers, seed + k)), calibration) for k, s in ((0, now), (5000, then))]
    found = compare(maps[0], maps[1], calibration)
    truth = next(thing for thing in now.placed if thing.name == BLOCK)
    hits = sum(
        p.box.column < truth.right
        and p.box.column + p.box.columns > truth.left
        and p.box.row < truth.bottom
        and p.box.row + p.box.rows > truth.top
        for p in found.proposals
    )
    return hits > 0, len(found.proposals) - hits


def _pairs(pairs: int) -> None:
    results = [pair_result(seed, nominal()) for seed in range(pairs)]
    found, false = sum(hit for hit, _ in results), sum(others for _, others in results)
    console.print(
        f"5 cm block behind 6 mm steel, {pairs} pairs of scans of a van driven differently: found in"
        f" {found / pairs:.1%}, {false / pairs:.2f} other regions a scan"
    )


def _bags(bags: int = 20) -> None:
    calibration = fit(wedge_readings(1))
    hidden = shields = false_hidden = false_shields = 0
    for seed in range(bags):
        for with_it in (True, False):
            scene = bag(seed, hidden=with_it, metal_box=with_it)
            found = analyse(Scanner(pitch_mm=scene.pitch_mm).scan(scene.layers, seed), calibration)
            kinds = [p.kind for p in found.proposals]
            if with_it:
                hidden += "organic_behind_metal" in kinds
                shields += "shield" in kinds
            else:
                false_hidden += kinds.count("organic_behind_metal")
                false_shields += kinds.count("shield")
    console.print(
        f"{bags} bags with a 3 cm organic block behind 2 mm steel and a lead box: block found in {hidden}, box in"
        f" {shields}; in {bags} bags without: {false_hidden} and {false_shields} false"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("speed", "accuracy"))
    parser.add_argument("--pairs", type=int, default=100)
    asked = parser.parse_args(arguments)
    if asked.what != "accuracy":
        speed()
    if asked.what != "speed":
        accuracy(asked.pairs)


if __name__ == "__main__":
    main()
