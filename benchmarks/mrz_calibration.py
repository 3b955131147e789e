"""How far the recognizer's probabilities can be believed, on synthetic zones that it was not trained on.

python -m benchmarks.mrz_calibration --zones 20000 reads so many degraded zones from imprecise quads and prints the
reliability of the confidence, and the errors among readings reported as valid; --tune also writes the temperature into
the weights.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import degrade
from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.decode import Decoded
from edge_agent.processing.mrz.page import SURE, best_reading
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.picture import Picture
from edge_agent.processing.mrz.recognize import see
from edge_agent.processing.mrz.recognize.network import WEIGHTS, network
from edge_agent.simulate.documents import FORMATS, Specimen, specimen
from edge_agent.simulate.page import Quad

SEED: Final = 990_000
"""Far from the seeds of training."""
CURVE: Final = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0001)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one zone."""

    confidence: float
    passed: bool
    checked_wrong: int
    unchecked: int
    unchecked_wrong: int


def readings(seed: int, severity: float) -> Iterator[tuple[Specimen, NDArray[np.uint8], list[Quad]]]:
    """Zones of all formats, degraded, and about where their lines are."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(SEED + seed)
    for name in FORMATS:
        made = specimen(rng, name)
        grey, quads = degrade.zone(rng, made.lines, float(rng.uniform(0, severity)))
        yield made, grey, [_imprecise(rng, quad, len(made.lines[0])) for quad in quads]


def _imprecise(rng: np.random.Generator, quad: Quad, columns: int) -> Quad:
    """The quad as a locator may give it."""
    along, down = (quad[1] - quad[0]) / columns, quad[3] - quad[0]
    left, right = rng.uniform(-1, 1, 2)
    top, base = rng.uniform(-0.1, 0.1, 2)
    tilt = np.tan(np.radians(rng.uniform(-0.3, 0.3))) * columns / 2
    moved = np.outer((left, right, right, left), along)
    moved += np.outer((top - tilt, top + tilt, base + tilt, base - tilt), down)
    return np.asarray(quad + moved, np.float32)


def outcome(made: Specimen, decoded: Decoded) -> Outcome:
    """Compare a reading with the truth."""
    covered = {
        place
        for digit in decoded.format.check_digits_of(decoded.lines)
        for line, start, end in (*digit.covers, (digit.line, digit.column, digit.column + 1))
        for place in ((line, column) for column in range(start, end))
    }
    places = [(i, j) for i, line in enumerate(decoded.lines) for j in range(len(line))]
    same = [len(line) for line in made.lines] == [len(line) for line in decoded.lines]
    wrong = {(i, j) for i, j in places if not same or made.lines[i][j] != decoded.lines[i][j]}
    return Outcome(
        decoded.confidence,
        parse(decoded.lines).valid,
        len(wrong & covered),
        len(places) - len(covered),
        len(wrong - covered),
    )


def _outcomes(severity: float, seed: int) -> list[Outcome | None]:
    found = []
    for made, grey, quads in readings(seed, severity):
        candidate = best_reading(Picture(grey), quads)
        found.append(None if candidate is None else outcome(made, candidate.decoded))
    return found


def report(outcomes: Sequence[Outcome | None]) -> str:
    """The reliability of the confidence, and the errors among what is reported as valid, as Markdown."""
    read = [o for o in outcomes if o is not None]
    lines = [f"{len(outcomes)} zones, {len(outcomes) - len(read)} not made out", ""]
    lines += [
        "| confidence | zones | mean confidence | right | passing, wrong in a checked field |",
        "|---|---|---|---|---|",
    ]
    for low, high in pairwise(CURVE):
        here = [o for o in read if low <= o.confidence < high]
        right = np.mean([not (o.checked_wrong or o.unchecked_wrong) for o in here]) if here else float("nan")
        mean = np.mean([o.confidence for o in here]) if here else float("nan")
        bad = sum(o.passed and o.checked_wrong > 0 for o in here)
        lines.append(f"| {low:g} to {min(high, 1):g} | {len(here)} | {mean:.4f} | {right:.4f} | {bad} |")
    valid = [o for o in read if o.passed and o.confidence >= SURE]
    checked = sum(o.checked_wrong > 0 for o in valid)
    unchecked, missed = sum(o.unchecked for o in valid), sum(o.unchecked_wrong for o in valid)
    lines += [
        "",
        f"reported valid: {len(valid)}; of these wrong in a checked field: {checked}; "
        f"characters that no check digit covers: {unchecked}, wrong: {missed}",
    ]
    return "\n".join(lines)


def _logits(severity: float, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Log probabilities and true classes of all characters of lines that were aligned."""
    logs, classes = [], []
    for made, grey, quads in readings(seed, severity):
        views = see(Picture(grey), quads)
        if not views or [len(e) for e in views[0].lines] != [len(line) for line in made.lines]:
            continue
        for seen, line in zip(views[0].lines, made.lines, strict=True):
            truth = np.array([ALPHABET.index(character) for character in line])
            if np.mean(seen.argmax(axis=1) == truth) > 0.5:  # else the whole line is off
                logs.append(seen)
                classes.append(truth)
    empty = np.empty((0, len(ALPHABET)), np.float32)
    return np.concatenate([empty, *logs]), np.concatenate([np.empty(0, np.int64), *classes])


def tune(pool: Any, batches: int, severity: float) -> float:
    """The factor on the temperature that makes the truth likeliest."""
    parts = pool.map(partial(_logits, severity), range(10**6, 10**6 + batches), chunksize=8)
    logs, classes = (np.concatenate(part) for part in zip(*parts, strict=True))

    def surprise(factor: float) -> float:
        scaled = logs / factor
        total = np.log(np.exp(scaled - scaled.max(axis=1, keepdims=True)).sum(axis=1)) + scaled.max(axis=1)
        return float(np.mean(total - scaled[np.arange(len(classes)), classes]))

    factors = np.exp(np.linspace(-0.5, 0.8, 40))
    values = [surprise(factor) for factor in factors]
    print(f"{len(classes)} characters, right {np.mean(logs.argmax(axis=1) == classes):.5f}")
    print(f"surprise {surprise(1):.5f} as is, {min(values):.5f} at {factors[int(np.argmin(values))]:.3f}")
    return float(factors[int(np.argmin(values))])


def main() -> None:
    """Measure, and tune if told so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zones", type=int, default=2000)
    parser.add_argument("--severity", type=float, default=0.7)
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    with multiprocessing.Pool(options.processes) as pool:
        if options.tune:
            factor = tune(pool, options.zones // len(FORMATS), options.severity)
            with np.load(WEIGHTS) as arrays:
                content = dict(arrays)
            provenance = network().provenance | {"temperature": round(network().provenance["temperature"] * factor, 3)}
            np.savez_compressed(WEIGHTS, **content | {"provenance": np.array(json.dumps(provenance))})
            return
        found = pool.map(partial(_outcomes, options.severity), range(options.zones // len(FORMATS)), chunksize=4)
    print(report([o for part in found for o in part]))


if __name__ == "__main__":
    main()
