"""Cargo papers with bar codes on them, photographed as they lie: turned."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from edge_agent.processing import iso6346
from edge_agent.simulate.device import SimulatedDevice

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.inspection.barcode import BarcodeSettings

Image = NDArray[np.uint8]
_SEED: Final = 0
_MODULE: Final = 5
"""Pixels."""
_TALL: Final = {"Code128", "Code39", "ITF"}
_DESK: Final = 96
_PAPER: Final = 244


def drawn(name: str, contents: str | bytes) -> Image:
    """A code of a symbology (zxing-cpp's name) as a grey picture with its quiet zone."""
    code = zxingcpp.create_barcode(contents, getattr(zxingcpp.BarcodeFormat, name))
    image = np.array(code.to_image(scale=_MODULE, add_quiet_zones=True), np.uint8)
    return image[: 30 * _MODULE] if name in _TALL else image


def page(codes: Sequence[Image], *, angle: float, rng: np.random.Generator) -> Image:
    """A page with codes one below the other on a dark desk, turned by ``angle`` degrees; BGR."""
    margin = 12 * _MODULE
    width = max(code.shape[1] for code in codes) + 2 * margin
    paper = np.full((sum(code.shape[0] + margin for code in codes) + margin, width), _PAPER, np.uint8)
    top = margin
    for code in codes:
        height, wide = code.shape
        paper[top : top + height, margin : margin + wide] = np.minimum(code, _PAPER)
        top += height + margin
    photographed = _lay_down(paper, angle)
    noisy = cv2.GaussianBlur(photographed, (0, 0), 0.7) + rng.normal(0, 3, photographed.shape)
    return np.repeat(noisy.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _lay_down(paper: Image, angle: float) -> Image:
    height, width = paper.shape
    side = int(np.hypot(height, width)) + 2 * _MODULE
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1), np.float64)
    turn[:, 2] += (side - width) / 2, (side - height) / 2
    return cv2.warpAffine(paper, turn, (side, side), flags=cv2.INTER_AREA, borderValue=_DESK).astype(np.uint8)


class Papers(SimulatedDevice["BarcodeSettings"]):
    """A telephone that puts a photograph of the papers of each truck into the folder, turned as they lay."""

    def __init__(self, settings: BarcodeSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        if settings.pictures is None:
            raise ValueError("papers are presented as pictures in a folder")
        self._folder = state / settings.pictures.folder
        self._folder.mkdir(parents=True)
        self._rng = np.random.default_rng(_SEED)

    def play(self, ending: threading.Event) -> None:
        """A page with one code for each truck: container numbers, GS1, and a waybill by turns."""
        due = time.monotonic()
        while not ending.wait(max(due - time.monotonic(), 0)):
            due = time.monotonic() + self.pace
            image = page([drawn(*self._contents())], angle=float(self._rng.uniform(-40, 40)), rng=self._rng)
            name = f"papers {self.presented + 1:05d}"
            hidden = self._folder / f"{name}.part"
            hidden.write_bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
            hidden.rename(self._folder / f"{name}.jpg")
            self.presented += 1

    def _contents(self) -> tuple[str, Any]:
        number = int(self._rng.integers(100_000, 999_999))
        match self.presented % 4:
            case 0:
                container = f"UTOU{number}"
                return "Code128", f"{container}{iso6346.check_digit(container)}"
            case 1:
                return "PDF417", f"WAYBILL {number}\nFROM UTOPIA TO KORDAI\n1 CONTAINER, 12400 KG"
            case 2:
                return "QRCode", f"https://waybill.example/{number}"
            case _:
                return "DataMatrix", f"UTO-SEAL-{number}"
