"""How right the colour tests are, on rendered scenes: kit colour x light x camera x tone curve x noise x angle.

    python -m benchmarks.drugkit_colour --scenes 400 --seed 1

Kit colours and inks are smooth reflectances (or a chart's real ones), lit by CIE illuminants and seen by the measured
sensitivities of two cameras or by random ones. No real reaction has been photographed for it.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks.drugkit_spectra import (
    SODIUM,
    STATED,
    TRUSTED,
    Print,
    chart_print,
    ink_print,
    lamp,
    measured_camera,
    random_camera,
    seen,
    smooth,
    xyz_of_reflectance,
)
from edge_agent.processing.colourtest.colour import Array, ciede2000, lab_of_xyz, srgb_of_xyz, xyz_of_lab
from edge_agent.processing.colourtest.nij import Row, reagents
from edge_agent.processing.colourtest.reading import Refused, read_test
from edge_agent.processing.colourtest.verdict import judge
from edge_agent.simulate.ampoule import Shot, develop, develop_raw, identity, lay_out, photograph_card

BLANKS = ((94.0, 0.0, 4.0), (88.0, 4.0, 2.0), (90.0, -3.0, 14.0))
Curve = Callable[[Array], Array]


def s_curve(strength: float) -> Curve:
    """A vendor's contrast curve: steeper in the middle of the encoded values."""

    def bend(linear: Array) -> Array:
        v = linear ** (1 / 2.2)
        bent = v + strength * v * (1 - v) * (2 * v - 0.9)
        return np.asarray(np.clip(bent, 0, 1) ** 2.2, np.float64)

    return bend


def power(exponent: float) -> Curve:
    """Brighter or darker middle tones."""
    return lambda linear: np.asarray(linear**exponent, np.float64)


CURVES: dict[str, Curve] = {
    "none": identity,
    "contrast": s_curve(0.5),
    "strong contrast": s_curve(0.9),
    "lifted": power(0.85),
    "filmic": lambda x: 1.12 * x * (1 + 0.15 * x) / (0.12 + x) * 0.87,
}


@dataclass(frozen=True)
class World:
    """What stays the same in a scene: light, camera, print, and what the camera makes of its raw values."""

    light: Array
    camera: Array
    card: Print
    raw: bool
    curve: Curve

    def rgb(self, reflectance: Array) -> Array:
        """What the camera makes of a reflectance before its tone curve; white paper near 1."""
        raw = seen(reflectance, self.light, self.camera) / seen(
            self.card.reflectances["paper"], self.light, self.camera
        )
        return raw if self.raw else raw @ self._to_srgb().T

    def _to_srgb(self) -> Array:
        """The camera's own matrix: fitted by its maker on a chart, white kept."""
        chart = np.stack(list(chart_print().reflectances.values()))
        white = seen(self.card.reflectances["paper"], self.light, self.camera)
        raw = seen(chart, self.light, self.camera) / white
        target = srgb_of_xyz(xyz_of_reflectance(chart))
        matrix = np.linalg.lstsq(raw, target, rcond=None)[0].T
        return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float64)


def picture(world: World, reflectance: Array, blank: Array, rng: np.random.Generator, shot: Shot) -> np.ndarray:
    """The scene as a file of the camera would decode: 8-bit JPEG, or 16-bit linear."""
    colours = {name: world.rgb(each) for name, each in world.card.reflectances.items()}
    card = lay_out(colours, world.rgb(reflectance), world.rgb(blank), shiny=shot.shiny)
    sensed = photograph_card(card, rng, shot)
    if world.raw:
        return develop_raw(sensed)
    encoded = cv2.imencode(".jpg", develop(sensed, world.curve), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(80, 97))])
    return np.asarray(cv2.imdecode(encoded[1], cv2.IMREAD_COLOR))


def random_world(rng: np.random.Generator, lights: tuple[str, ...], *, raw: bool | None = None) -> World:
    """A light, a camera, a print and a tone curve."""
    cameras = [measured_camera("Nikon 5100 (NPL)"), measured_camera("Sigma SDMerill (NPL)"), *[random_camera(rng)] * 4]
    return World(
        lamp(lights[int(rng.integers(len(lights)))]),
        cameras[int(rng.integers(len(cameras)))],
        (chart_print(), ink_print())[int(rng.integers(2))],
        bool(rng.random() < 0.4) if raw is None else raw,
        list(CURVES.values())[int(rng.integers(len(CURVES)))],
    )


def random_shot(rng: np.random.Generator) -> Shot:
    """Angle, light and noise of an ordinary picture."""
    return Shot(
        width=1200,
        height=900,
        turn=float(rng.uniform(0, 360)),
        tilt=float(rng.uniform(0, 30)),
        fill=float(rng.uniform(0.7, 0.95)),
        gradient=float(rng.uniform(0, 0.35)),
        noise=float(rng.uniform(0.002, 0.03)),
        exposure=float(rng.uniform(0.35, 0.8)),
        blur=float(rng.uniform(0.4, 1.0)),
    )


def all_rows() -> list[Row]:
    """Every row of the table that has a colour."""
    return [row for reagent in reagents().values() for row in reagent.rows if len(row.colours)]


def random_outside(rng: np.random.Generator, rows: tuple[Row, ...], least: float) -> Array | None:
    """A colour at least so far from each of the rows, that some smooth reflectance has; None if not found."""
    for _ in range(200):
        lab = np.array((rng.uniform(20, 90), *rng.uniform(-60, 60, 2)))
        if (srgb_of_xyz(xyz_of_lab(lab)) < 0).any() or (srgb_of_xyz(xyz_of_lab(lab)) > 1).any():
            continue
        if min(float(row.distance(lab)) for row in rows) >= least:
            return lab
    return None


def run(
    scenes: int, seed: int, lights: tuple[str, ...], *, outside: float = 0.0, raw: bool | None = None
) -> Counter[str]:
    """Read so many scenes of colours of the table, or of colours at least ``outside`` from all of a reagent's."""
    rng = np.random.default_rng(seed)
    rows = all_rows()
    counts: Counter[str] = Counter()
    errors, radii, sizes = [], [], []
    for _ in range(scenes):
        row = rows[int(rng.integers(len(rows)))]
        table = reagents()[row.reagent].rows
        lab = row.colours[int(rng.integers(len(row.colours)))]
        if outside:
            found = random_outside(rng, table, outside)
            if found is None:
                continue
            lab = found
        world, shot = random_world(rng, lights, raw=raw), random_shot(rng)
        reflectance = smooth(tuple(lab.tolist()))
        true = lab_of_xyz(xyz_of_reflectance(reflectance))
        blank = smooth(BLANKS[int(rng.integers(len(BLANKS)))])
        image = picture(world, reflectance, blank, rng, shot)
        counts["scenes"] += 1
        try:
            reading = read_test(image, world.card.references())
        except Refused as refused:
            counts[f"refused {refused.code}"] += 1
            continue
        judged = judge(reading.sample, reading.blank, table)
        error = float(ciede2000(reading.sample.candidates, true).min())
        errors.append(error)
        radii.append(reading.sample.radius)
        counts["read"] += 1
        counts["covered"] += error <= reading.sample.radius
        counts["cut off"] += reading.sample.cut_off
        counts["told of sRGB"] += "outside_srgb" in judged.findings
        counts["in list"] += row.substance in judged.consistent
        counts["inconclusive"] += judged.verdict == "inconclusive"
        if judged.verdict != "inconclusive" and row.substance not in judged.consistent and not outside:
            name = next(name for name, curve in CURVES.items() if curve is world.curve)
            print(
                f"   missed {row.reagent} {row.substance} {np.round(true)}: error {error:.1f}, radius "
                f"{reading.sample.radius:.1f}, rms {reading.quality.p95}, raw {world.raw}, curve {name}, "
                f"noise {shot.noise:.3f}, exposure {shot.exposure:.2f}, cut off {reading.sample.cut_off}, "
                f"{judged.findings}"
            )
        counts["wrong group"] += bool(judged.consistent) and row.substance not in judged.consistent
        counts["none fits"] += judged.verdict == "not_consistent"
        sizes.append(len(judged.consistent) / len(reagents()[row.reagent].substances))
    print(f"lights {','.join(lights)}  outside {outside}  raw {raw}")
    print("  ", dict(sorted(counts.items())))
    if errors:
        quantiles = np.percentile(errors, (50, 95, 99))
        print("   error median {:.2f} p95 {:.2f} p99 {:.2f}".format(*quantiles), end="   ")
        print("radius median {:.2f} p95 {:.2f}".format(*np.percentile(radii, (50, 95))), end="   ")
        print(f"list {np.mean(sizes):.2f} of the table")
    return counts


def card_errors(seed: int) -> None:
    """Errors of the correction alone, for each of the stated lights and sodium, over the colours of the table."""
    rng = np.random.default_rng(seed)
    rows = all_rows()
    for name in (*STATED, *SODIUM):
        for camera in ("Nikon 5100 (NPL)", "Sigma SDMerill (NPL)"):
            errors, medians, p95s = [], [], []
            world = World(lamp(name), measured_camera(camera), chart_print(), True, identity)
            shot = replace(random_shot(rng), noise=0.01)
            for row in rows[:: 12 if name in SODIUM else 3]:
                reflectance = smooth(tuple(row.colours[0].tolist()))
                image = picture(world, reflectance, smooth(BLANKS[0]), rng, shot)
                try:
                    reading = read_test(image, world.card.references())
                except Refused as refused:
                    medians.append(refused.quality.median or np.nan if refused.quality is not None else np.nan)
                    p95s.append(refused.quality.p95 or np.nan if refused.quality is not None else np.nan)
                    continue
                medians.append(reading.quality.median or np.nan)
                p95s.append(reading.quality.p95 or np.nan)
                errors.append(float(ciede2000(reading.sample.lab, lab_of_xyz(xyz_of_reflectance(reflectance)))))
            told = "  median {:.2f}  p95 {:.2f}".format(*np.percentile(errors, (50, 95))) if errors else "  all refused"
            card = f"card: median {np.nanmedian(medians):.2f} p95 {np.nanmedian(p95s):.2f}"
            print(f"{name:8} {camera:22} {told}   {card}   {len(errors)} read")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--only", choices=("card", "raw", "jpeg", "outside", "sodium"))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.perf_counter()
    parts: dict[str, Callable[[], object]] = {
        "card": lambda: card_errors(arguments.seed),
        "raw": lambda: run(arguments.scenes, arguments.seed, TRUSTED, raw=True),
        "jpeg": lambda: run(arguments.scenes, arguments.seed, TRUSTED, raw=False),
        "outside": lambda: run(arguments.scenes, arguments.seed, TRUSTED, outside=10),
        "sodium": lambda: run(arguments.scenes // 3, arguments.seed, SODIUM),
    }
    for part in [arguments.only] if arguments.only else parts:
        parts[part]()
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
