"""Bar codes on papers and packages: from pictures in a folder, under a camera, or from a hand scanner."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from drivers.camera import Camera, VideoSettings
from drivers.folder import Content, Folder, FolderDriver, FolderSettings
from drivers.serial_port import SerialPort, SerialSettings, find_port, missing
from edge_agent.driver import Driver, DriverSettings, Observation
from edge_agent.events.evidence import sha256

if TYPE_CHECKING:
    from edge_agent.processing.barcode.scanner import Framer

LISTEN_SECONDS: Final = 0.1
LOOK_SECONDS: Final = 0.2
READING: Final = "drivers.inspection.barcode_reading"


class PictureSettings(FolderSettings):
    """The table ``[settings.pictures]``."""

    seconds: float = Field(default=1.5, gt=0, le=10, description="How long to look at a picture at most")


class BarcodeCameraSettings(VideoSettings):
    """The table ``[settings.camera]``."""

    seconds: float = Field(default=0.4, gt=0, le=5, description="How long to look at one picture of the camera")
    again_seconds: float = Field(
        default=5, ge=1, le=3600, description="A code that was out of sight for so long is read as a new one"
    )


class ScannerSettings(SerialSettings):
    """The table ``[settings.scanner]``."""

    ending: Literal["line", "etx", "gap"] = Field(
        default="line",
        description="What ends a code: line (CR or LF), etx (STX before and ETX behind it), or gap (a pause, for codes "
        "that have line ends in them)",
    )
    gap_seconds: float = Field(default=0.3, ge=0.05, le=5, description="The pause that ends a code in any case")


class BarcodeSettings(DriverSettings):
    """Settings of ``inspection.barcode``: at least one of the tables."""

    pictures: PictureSettings | None = Field(default=None, description="A folder that pictures are put into")
    camera: BarcodeCameraSettings | None = Field(default=None, description="A camera under which papers are laid")
    scanner: ScannerSettings | None = Field(default=None, description="A hand scanner on a serial port")

    @model_validator(mode="after")
    def _say_where(self) -> Self:
        if not (self.pictures or self.camera or self.scanner):
            raise ValueError("does not say where codes come from: give [pictures], [camera] or [scanner]")
        return self


class Barcode(Driver[BarcodeSettings]):
    """Bar codes out of pictures, from a camera or a hand scanner; their contents stay text, no link is opened."""

    kind = "inspection.barcode"
    Settings = BarcodeSettings
    preload: ClassVar[tuple[str, ...]] = (READING,)

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each code, and for each picture in which none was read."""
        sources = self._sources()
        try:
            while True:
                idle = True
                for source in sources:
                    for each in source.poll():
                        idle = False
                        yield each
                self.trouble = " ".join(filter(None, (source.trouble for source in sources)))
                yield None
                if idle and self.settings.camera is None and self.settings.scanner is None:
                    time.sleep(LOOK_SECONDS)
        finally:
            for source in sources:
                source.close()

    def probe(self) -> str:
        """Whether the folder, the camera and the scanner's port can be used."""
        sources = self._sources()
        try:
            return "; ".join(source.probe() for source in sources)
        finally:
            for source in sources:
                source.close()

    def _sources(self) -> list[_Pictures | _Camera | _Scanner]:
        settings = self.settings
        sources: list[_Pictures | _Camera | _Scanner] = []
        if settings.pictures is not None:
            sources.append(_Pictures(settings.pictures))
        if settings.camera is not None:
            sources.append(_Camera(settings.camera))
        if settings.scanner is not None:
            sources.append(_Scanner(settings.scanner))
        return sources


class _PictureFolder(FolderDriver[PictureSettings]):
    """The folder of pictures; all codes of one are told one after the other, and then it is moved away."""

    kind = "inspection.barcode"
    Settings = PictureSettings

    def examine(self, data: bytes) -> Content:
        """The first code of a picture; ``more`` holds the others."""
        from drivers.inspection.barcode_reading import read_file

        contents = read_file(data, self.settings.seconds)
        self.more = contents[1:]
        return contents[0]

    more: list[Content]

    def poll_all(self, folder: Folder) -> list[Observation]:
        """All codes of the next picture."""
        self.more = []
        first = self.poll(folder)
        if first is None:
            return []
        every = [first, *(Observation(each.data, each.evidence) for each in self.more)]
        keyed = [replace(each, acknowledge=None, key=f"{first.key} {number}") for number, each in enumerate(every)]
        keyed[-1] = replace(keyed[-1], acknowledge=first.acknowledge)
        return keyed


class _Pictures:
    trouble = ""

    def __init__(self, settings: PictureSettings) -> None:
        self._driver = _PictureFolder(settings)
        self._folder = self._driver.open()

    def poll(self) -> list[Observation]:
        return self._driver.poll_all(self._folder)

    def probe(self) -> str:
        return self._driver.probe()

    def close(self) -> None:
        return


class _Camera:
    trouble = ""

    def __init__(self, settings: BarcodeCameraSettings) -> None:
        self._settings = settings
        self._camera = Camera(settings)
        self._seen: dict[tuple[str, bytes], float] = {}

    def poll(self) -> list[Observation]:
        """The codes in the next picture that were not in sight a moment ago."""
        from drivers.inspection.barcode_reading import events, evidence
        from edge_agent.processing.barcode.read import read
        from edge_agent.processing.images import encode_jpeg

        image = self._camera.picture()
        reading = read(image, self._settings.seconds)
        now = time.monotonic()
        self._seen = {code: at for code, at in self._seen.items() if now - at < self._settings.again_seconds}
        new = [symbol for symbol in reading.symbols if (symbol.format, symbol.data) not in self._seen]
        self._seen |= dict.fromkeys(((symbol.format, symbol.data) for symbol in reading.symbols), now)
        if not new:
            return []
        data = encode_jpeg(image, quality=92)
        picture = evidence(data, "image/jpeg", image)
        fresh = replace(reading, symbols=tuple(new))
        return [Observation(event, (picture,)) for event in events(fresh, "camera", sha256(data))]

    def probe(self) -> str:
        return f"the camera delivers pictures of {self._camera.size()}"

    def close(self) -> None:
        self._camera.close()


class _Scanner:
    """A hand scanner, which may be plugged in at any time."""

    def __init__(self, settings: ScannerSettings) -> None:
        self.trouble = ""
        self._settings = settings
        self._port: SerialPort | None = None
        self._framer: Framer | None = None
        self._waiting: deque[Observation] = deque()

    def poll(self) -> list[Observation]:
        """What was scanned, after listening for a moment."""
        from drivers.inspection.barcode_reading import scanned
        from edge_agent.processing.barcode.scanner import Framer

        if self._port is None or self._framer is None:
            if find_port(self._settings) is None:
                self.trouble = missing(self._settings)
                time.sleep(LISTEN_SECONDS)
                return []
            self._port, self.trouble = SerialPort(self._settings), ""
            self._framer = Framer(self._settings.ending, self._settings.gap_seconds)
        codes = self._framer.feed(self._port.read(LISTEN_SECONDS), time.monotonic())
        return [Observation(scanned(code)) for code in codes]

    def probe(self) -> str:
        port = SerialPort(self._settings)
        port.close()
        return f"{port.path} can be opened with {self._settings.baud} baud; scan a code to see more"

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
