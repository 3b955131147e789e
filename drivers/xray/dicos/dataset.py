"""From bytes to a pydicom data set and back, without trusting the bytes.

pydicom parses whatever it is given: here the number of its elements is bounded, so that no file keeps us busy for
longer than a moment, and what DICOS adds to DICOM is made known to it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from pydicom import config, datadict, dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import UID, generate_uid

from drivers.xray.dicos import uids
from edge_agent import __version__
from edge_agent.processing.xray.scan import ScanError

VERSION: Final = "V03"
MAX_READS: Final = 60_000
"""Of pydicom in one file: two or three for each element. A scan has about 100 elements."""
MAX_ITEMS: Final = 5_000
MAX_HEADER: Final = 1 << 20
"""Bytes besides the pixels."""
MAX_TEXT: Final = 256
PREAMBLE: Final = 128
_ITEM: Final = b"\xfe\xff\x00\xe0"
_IDENTIFIERS: Final = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")

_MANDATORY: Final = (
    "StudyID",
    "InstitutionName",
    "InstitutionAddress",
    "StationName",
    "ManufacturerModelName",
    "DeviceSerialNumber",
    "PatientID",
    "IssuerOfPatientID",
)
"""Of every DICOS object; a strict reader refuses it without them."""

COORDINATE_SYSTEM: Final = 0x00082108
IMAGE_ORIGIN: Final = 0x00080118
EFFECTIVE_ENERGY: Final = 0x43000902
FILE_VERSION: Final = 0x00020004

# In DICOS and not in the dictionary of DICOM, without which implicit VR cannot be read (DICOS v03, part 6).
datadict.add_dict_entries(
    {
        FILE_VERSION: ("CS", "1", "DICOS File Version", "", "DICOSFileVersion"),
        COORDINATE_SYSTEM: ("CS", "1", "DICOS Coordinate System", "", "DICOSCoordinateSystem"),
        EFFECTIVE_ENERGY: ("FL", "1", "DICOS Effective Energy", "", "DICOSEffectiveEnergy"),
        0x40101080: ("DT", "1", "Threat Detection Start Time", "", "ThreatDetectionStartTime"),
        0x40101081: ("DT", "1", "Threat Detection End Time", "", "ThreatDetectionEndTime"),
        0x40101082: ("FL", "1", "Threat Detection Time", "", "ThreatDetectionTime"),
    }
)
config.settings.reading_validation_mode = config.IGNORE  # scanners write invalid UIDs; a remark says so


class _Metered(io.BytesIO):
    """Stops whoever reads from it too often."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise ScanError("too-complex", "The DICOS file has more elements than any scan: it is damaged or hostile.")
        return super().read(size)


def is_dicos(data: bytes) -> bool:
    """Whether these are the beginnings of a DICOM file."""
    return data[PREAMBLE : PREAMBLE + 4] == b"DICM"


def parse(data: bytes, *, pixels: bool = True) -> Dataset:
    """The data set of a DICOM file; without its pixels it is only what stands before them.

    Raises:
        ScanError: not-dicos, truncated-dicos, too-complex, damaged-dicos.
    """
    if not is_dicos(data):
        unfinished = len(data) < PREAMBLE + 4
        raise ScanError("not-dicos", "This is not a DICOS file: it does not begin like one.", unfinished=unfinished)
    if data[: MAX_HEADER * 2].count(_ITEM) > MAX_ITEMS:
        raise ScanError("too-complex", "The DICOS file has more sequences than any scan: it is damaged or hostile.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = dcmread(_Metered(data), stop_before_pixels=not pixels)
            before_pixels = sum(_length(element) for element in dataset.values() if element.tag != 0x7FE00010)
    except ScanError:
        raise
    except (EOFError, OSError):
        raise truncated() from None
    except Exception:  # pydicom raises whatever its parsers stumble over
        raise damaged() from None
    if "SOPClassUID" not in dataset:  # every object has it; pydicom gives back nothing when a value ends too early
        raise truncated()
    if before_pixels > MAX_HEADER:
        raise ScanError("too-complex", f"The DICOS file has {before_pixels >> 10} KiB besides its pixels.")
    return dataset


def _length(element: Any) -> int:
    return int(getattr(element, "length", 0) or 0) & 0x7FFFFFFF


def truncated() -> ScanError:
    """The file ends before its content does."""
    return ScanError("truncated-dicos", "The DICOS file is cut off: copy or send it again.", unfinished=True)


def damaged() -> ScanError:
    """The file is no valid DICOM."""
    return ScanError("damaged-dicos", "The DICOS file is damaged: copy or send it again.")


def read_value(dataset: Dataset, keyword: str | int, kind: Callable[[Any], Any], default: Any = None) -> Any:
    """One value of a data set, converted; ``default`` if it is missing, empty or not of that kind.

    Elements are converted by pydicom only when they are looked at, and then raise whatever they stumble over.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            element = dataset.get(keyword)
            value = element.value if isinstance(keyword, int) and element is not None else element
            return default if value in (None, "") else kind(value)
    except Exception:
        return default


def texts(value: Any) -> tuple[str, ...]:
    """The values of an element as texts."""
    return tuple(str(each).strip() for each in (value if isinstance(value, MultiValue | list) else [value]))


def metadata(dataset: Dataset) -> dict[str, str]:
    """Every short value that is no sequence and no bytes, by keyword."""
    found: dict[str, str] = {}
    for tag in list(dataset.keys()):
        keyword = datadict.keyword_for_tag(tag)
        if keyword and keyword != "PixelData" and len(found) < 200:
            value = read_value(dataset, keyword, lambda value: value)
            if isinstance(value, str | int | float | MultiValue):
                found[keyword] = "\\".join(texts(value))[:MAX_TEXT]
    return found


def invalid_identifiers(dataset: Dataset) -> tuple[str, ...]:
    """A remark on identifiers that are none by DICOM's rules, as a widespread toolkit makes them."""
    wrong = [name for name in _IDENTIFIERS if not UID(read_value(dataset, name, str, "1")).is_valid]
    return (f"Not valid by DICOM's rules, but read: {', '.join(wrong)}.",) if wrong else ()


def new(sop_class: str, syntax: str) -> Dataset:
    """A data set with what every DICOS object of ours has."""
    now = datetime.now(UTC)
    date, clock = f"{now:%Y%m%d}", f"{now:%H%M%S.%f}"
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = generate_uid()
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    for which in ("InstanceCreation", "Study", "Series", "Content"):
        setattr(dataset, f"{which}Date", date)
        setattr(dataset, f"{which}Time", clock)
    for keyword in _MANDATORY:
        setattr(dataset, keyword, "unknown")
    dataset.Manufacturer = "edge-agent"
    dataset.SoftwareVersions = __version__
    dataset.TypeOfPatientID = "TEXT"
    dataset.DateOfLastCalibration, dataset.TimeOfLastCalibration = date, clock
    dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.InstanceNumber = 1
    dataset.add_new(0x4010103A, "CS", VERSION)
    dataset.add_new(0x40101042, "CS", "CARGO")
    dataset.add_new(0x40101044, "CS", "SUCCESSFUL")
    dataset.add_new(0x40101048, "CS", "OPERATIONAL")
    return dataset


def encode(dataset: Dataset) -> bytes:
    """The bytes of a file."""
    meta = dataset.file_meta
    meta.add_new(FILE_VERSION, "CS", VERSION)
    little = meta.TransferSyntaxUID != uids.BIG_ENDIAN
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(
            buffer, enforce_file_format=True, implicit_vr=meta.TransferSyntaxUID == uids.IMPLICIT, little_endian=little
        )
    return buffer.getvalue()
