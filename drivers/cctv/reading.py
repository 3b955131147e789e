"""Number plates and container codes of vehicles in a zone: the sharpest pictures of each visit, read and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from drivers.cctv.settings import Reading, Zone
from edge_agent.driver import DriverError
from edge_agent.events.cctv import CctvReading, ReadingCandidate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.processing.video.container_code import Read
    from edge_agent.processing.video.scene import Happening

    Picture = NDArray[np.uint8]

PACKAGE: Final = "rapidocr-onnxruntime"
READ: Final = 3
"""Pictures of a visit that are read: each takes a quarter of a second."""
LOOKED_AT: Final = 12
EVERY_SECONDS: Final = 0.5
LONGEST_SIDE: Final = 1280
"""Of what is read: letters of ten pixels in the main stream stay so."""
_SURE: Final = 0.5
"""Text that the OCR is less sure of is none."""


@dataclass(slots=True)
class _Visit:
    """A vehicle in a zone: its sharpest pictures so far."""

    looked: int = 0
    due: float = 0.0
    best: list[tuple[float, Picture]] = field(default_factory=list)


class Reader:
    """Reads in the zones of one camera. Construction loads the models: 0.5 s and 200 MB.

    Raises:
        DriverError: the optional extra is not installed.
    """

    def __init__(self, wanted: Reading, zones: Iterable[Zone]) -> None:
        self._wanted = wanted
        self._zones = {zone.name: zone for zone in zones if not wanted.zones or zone.name in wanted.zones}
        self._visits: dict[str, _Visit] = {}
        self._ocr = _engine()
        self._name = f"{PACKAGE} {version(PACKAGE)}"

    def step(
        self, happenings: Iterable[Happening], picture: Callable[[], Picture | None], now: float
    ) -> Iterator[CctvReading]:
        """Take in what happened, and a picture (BGR, shape (h, w, 3)) where one is wanted; yield what was read."""
        from edge_agent.processing.video.counting import ZoneChange

        for change in happenings:
            if isinstance(change, ZoneChange) and change.zone in self._zones:
                if change.state == "entered":
                    self._visits.setdefault(change.zone, _Visit())
                elif change.state == "left" and change.count == 0 and change.zone in self._visits:
                    yield from self._read(change.zone, self._visits.pop(change.zone))
        due = [name for name, visit in self._visits.items() if visit.looked < LOOKED_AT and now >= visit.due]
        image = picture() if due else None
        for name in due if image is not None else ():
            assert image is not None
            visit = self._visits[name]
            self._look(visit, crop(image, self._zones[name]), now)
            if visit.looked == LOOKED_AT:
                yield from self._read(name, visit)

    def _look(self, visit: _Visit, part: Picture, now: float) -> None:
        import cv2

        sharpness = float(cv2.Laplacian(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), cv2.CV_32F).var())
        visit.looked += 1
        visit.due = now + EVERY_SECONDS
        visit.best = sorted([*visit.best, (sharpness, part)], key=lambda entry: -entry[0])[:READ]

    def _read(self, zone: str, visit: _Visit) -> Iterator[CctvReading]:
        from edge_agent.processing.video import container_code, plates

        pictures = [self._texts(part) for _, part in visit.best]
        visit.best = []
        if self._wanted.containers:
            codes = container_code.agreed(container_code.candidates(reads) for reads in pictures)
            told = [
                ReadingCandidate(text=c.text, confidence=c.confidence, check=c.check, pictures=c.frames) for c in codes
            ]
            yield from self._event(zone, "container", told, len(pictures))
        if self._wanted.plates:
            found = plates.plates(pictures)
            told = [
                ReadingCandidate(text=text, confidence=trust, check="none", pictures=seen)
                for text, trust, seen in found
            ]
            yield from self._event(zone, "plate", told, len(pictures))

    def _event(self, zone: str, kind: Any, told: list[ReadingCandidate], pictures: int) -> Iterator[CctvReading]:
        if told:
            yield CctvReading(zone=zone, kind=kind, candidates=told, pictures=pictures, engine=self._name)

    def _texts(self, part: Picture) -> list[Read]:
        """What stands in a picture, in reading order."""
        import cv2

        from edge_agent.processing.video.container_code import Read

        scale = LONGEST_SIDE / max(part.shape[:2])
        small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else part
        found, _ = self._ocr(small, use_det=True, use_cls=False, use_rec=True)
        return [Read(str(text), float(score)) for _, text, score in found or () if float(score) >= _SURE]


def crop(image: Picture, zone: Zone) -> Picture:
    """The part of a picture around a zone, at least 32 pixels wide and high where the picture allows it."""
    height, width = image.shape[:2]
    xs, ys = [x for x, _ in zone.polygon], [y for _, y in zone.polygon]
    left, right = int(min(xs) * width), int(max(xs) * width)
    top, bottom = int(min(ys) * height), int(max(ys) * height)
    return image[
        max(0, min(top, bottom - 32)) : max(bottom, top + 32), max(0, min(left, right - 32)) : max(right, left + 32)
    ]


def _engine() -> Any:
    try:
        version(PACKAGE)
        from rapidocr_onnxruntime import RapidOCR
    except (PackageNotFoundError, ImportError):
        raise DriverError(
            "Plates and container codes need the extra `plates`, for Python 3.11 or 3.12: "
            "pip install 'edge-agent[plates]', or switch them off in [settings.reading]."
        ) from None
    return RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
