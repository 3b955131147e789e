"""How many bar codes are read, and how many wrongly: the agent against zxing-cpp alone and zbar (pyzbar) alone.

    python -m benchmarks.barcode ../shared/data/cctv/barcodes

The folder holds one folder for each kind of code, in it pictures, each with its contents beside it as .txt or .bin; of
the folders of false positives, nothing may be read. Every picture is read as it is, and again under each hardship,
with the same seed for all readers. Nothing in the agent was fitted to these pictures.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from pyzbar import pyzbar
from rich.console import Console
from rich.table import Table

from edge_agent.processing.barcode.engines import quiet
from edge_agent.processing.barcode.read import SECONDS, read

Image = NDArray[np.uint8]
_PICTURES: Final = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif"}
_SEED: Final = 20261125


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture; ``contents`` is what is printed in it, None where nothing may be read."""

    kind: str
    image: Image
    contents: str | None


def samples(folder: Path) -> Iterator[Sample]:
    """All pictures whose contents are known, and those of folders of false positives."""
    for path in sorted(folder.glob("*/*")):
        if path.suffix.lower() not in _PICTURES:
            continue
        image = cv2.imread(str(path))
        if image is None:
            continue
        text, binary = path.with_suffix(".txt"), path.with_suffix(".bin")
        kind = re.sub(r"-\d+$", "", path.parent.name)
        if text.exists():
            yield Sample(kind, image.astype(np.uint8), _normal(text.read_text("utf-8")))
        elif binary.exists():
            yield Sample(kind, image.astype(np.uint8), _normal(binary.read_bytes().decode("latin-1")))
        elif kind.startswith("false"):
            yield Sample(kind, image.astype(np.uint8), None)


def _normal(text: str) -> str:
    """Contents without what readers write differently: brackets and separators of GS1, line ends, leading zeros."""
    return re.sub(r"[()\s\x00-\x1f]|<[A-Z]{2,3}>|\\x1d", "", text).lstrip("0")


def agent(image: Image) -> list[str]:
    """Both engines and the harder looks."""
    return [symbol.text or symbol.data.decode("latin-1") for symbol in read(image).symbols]


def zxing(image: Image) -> list[str]:
    """zxing-cpp with its defaults, the most thorough that it has."""
    found = zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.Plain)
    return [each.text or each.bytes.decode("latin-1") for each in found]


def zbar(image: Image) -> list[str]:
    """Zbar with its defaults."""
    with quiet():
        return [each.data.decode("utf-8", "replace") for each in pyzbar.decode(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))]


READERS: Final = {"agent": agent, "zxing-cpp": zxing, "zbar": zbar}


def right(contents: str, said: str) -> bool:
    """Whether a reading is right; the two or five digits beside an EAN or UPC code need not be read."""
    normal = _normal(said)
    return normal == contents or (len(normal) >= 10 and normal.isdigit() and contents[: len(normal)] == normal)


# -- hardships ---------------------------------------------------------------------------------------------------------


def _framed(image: Image) -> Image:
    """On a white page, so that turning cuts nothing off."""
    margin = max(image.shape[:2]) // 4
    return cv2.copyMakeBorder(image, *(margin,) * 4, cv2.BORDER_CONSTANT, value=(255, 255, 255)).astype(np.uint8)


def _turned(image: Image, angle: float) -> Image:
    page = _framed(image)
    height, width = page.shape[:2]
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1), np.float64)
    return _warped(page, np.vstack([turn, (0, 0, 1)]))


def _warped(page: Image, matrix: NDArray[np.float64]) -> Image:
    size = (page.shape[1], page.shape[0])
    return cv2.warpPerspective(page, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255)).astype(np.uint8)


def _tilted(image: Image, amount: float) -> Image:
    page = _framed(image)
    height, width = page.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = corners.copy()
    seen[0] += (amount * width, amount * height)
    seen[3] += (amount * width, -amount * height)
    return _warped(page, np.asarray(cv2.getPerspectiveTransform(corners, seen), np.float64))


def _shaded(image: Image) -> Image:
    ramp = np.linspace(1.0, 0.15, image.shape[1])[None, :, None]
    return (image * ramp).astype(np.uint8)


def _blurred(image: Image, sigma: float) -> Image:
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8)


def _small(image: Image, scale: float) -> Image:
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _faint(image: Image) -> Image:
    return (110 + (image.astype(np.float32) - 128) * 0.15).clip(0, 255).astype(np.uint8)


def _noisy(image: Image, rng: np.random.Generator) -> Image:
    return (image + rng.normal(0, 25, image.shape)).clip(0, 255).astype(np.uint8)


HARDSHIPS: Final[dict[str, Callable[[Image, np.random.Generator], Image]]] = {
    "as it is": lambda image, _: image,
    "turned 10": lambda image, _: _turned(image, 10),
    "turned 25": lambda image, _: _turned(image, 25),
    "turned 45": lambda image, _: _turned(image, 45),
    "tilted 0.1": lambda image, _: _tilted(image, 0.1),
    "blur 1.2 px": lambda image, _: _blurred(image, 1.2),
    "blur 2 px": lambda image, _: _blurred(image, 2.0),
    "scale 0.6": lambda image, _: _small(image, 0.6),
    "noise 25": _noisy,
    "contrast 0.15": lambda image, _: _faint(image),
    "shadow": lambda image, _: _shaded(image),
}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every so many pictures under hardships")
    options = parser.parse_args()
    console = Console()
    pictures = list(samples(options.folder))
    readable = [sample for sample in pictures if sample.contents is not None]
    rng = np.random.default_rng(_SEED)
    hits: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    took: dict[str, list[float]] = defaultdict(list)
    for hardship, change in HARDSHIPS.items():
        for number, sample in enumerate(pictures):
            if number % options.every and hardship != "as it is":
                continue
            image = change(sample.image, rng)
            totals[hardship] += sample.contents is not None
            for name, reader in READERS.items():
                started = time.perf_counter()
                said = reader(image)
                took[name].append(time.perf_counter() - started)
                read_right = sample.contents is not None and any(right(sample.contents, each) for each in said)
                hits[hardship][name] += read_right
                wrong[hardship][name] += any(sample.contents is None or not right(sample.contents, s) for s in said)
                kinds[sample.kind][name] += read_right and hardship == "as it is"
    _print(console, "read right / pictures with a wrong reading", totals, hits, wrong)
    of_kind = Counter(sample.kind for sample in readable)
    _print(console, "as they are, by kind", of_kind, kinds, None)
    for name, times in took.items():
        middle, high = np.percentile(times, (50, 99)) * 1000
        console.print(f"{name}: {middle:.0f} ms median, {high:.0f} ms for 99 of 100, {max(times):.2f} s at most")
    console.print(f"The agent begins no further look after {SECONDS} s.")


def _print(
    console: Console,
    title: str,
    totals: Counter[str],
    hits: dict[str, Counter[str]],
    wrong: dict[str, Counter[str]] | None,
) -> None:
    table = Table("", "pictures", *READERS, title=title)
    for row, total in totals.items():
        cells = [f"{hits[row][name]}" + (f" / {wrong[row][name]}" if wrong else "") for name in READERS]
        table.add_row(row, str(total), *cells)
    all_hits = [str(sum(hits[row][name] for row in totals)) for name in READERS]
    all_wrong = [f" / {sum(wrong[row][name] for row in totals)}" if wrong else "" for name in READERS]
    table.add_row("all", str(totals.total()), *(a + b for a, b in zip(all_hits, all_wrong, strict=True)))
    console.print(table)


if __name__ == "__main__":
    main()
