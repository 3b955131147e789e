"""DICOS digital X-ray images (DX), for processing and for presentation: read and written."""

from __future__ import annotations

import struct
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames

from drivers.xray.dicos import uids
from drivers.xray.dicos.dataset import (
    COORDINATE_SYSTEM,
    EFFECTIVE_ENERGY,
    IMAGE_ORIGIN,
    damaged,
    encode,
    invalid_identifiers,
    metadata,
    new,
    parse,
    read_value,
    texts,
    truncated,
)
from edge_agent.processing.images import encode as encode_picture
from edge_agent.processing.xray.scan import Channel, Counts, Scan, ScanError, check_size

_ENERGIES: Final = {"LOW": Channel.LOW, "HIGH": Channel.HIGH}
_IMAGE_TYPES: Final = {Channel.LOW: "LOW ENERGY", Channel.HIGH: "HIGH ENERGY", Channel.SINGLE: "INTENSITY"}
_DERIVED: Final = ("Z_EFFECTIVE", "BASIS", "COMPTON", "PHOTOELECTRIC", "DENSITY", "MU")
_PRESENTATION: Final = "The image is for presentation: its values may have been altered for the eye."
_SPACINGS: Final = ("PixelSpacing", "NominalScannedPixelSpacing", "ImagerPixelSpacing")


def channel_of(dataset: Dataset) -> Channel:
    """Which channel an image is, by its Image Type (value 2, 'LOW ENERGY', also with an underscore)."""
    kinds = read_value(dataset, "ImageType", texts, ())
    words = {word for kind in kinds[1:] for word in kind.upper().replace("_", " ").split()}
    return next((channel for word, channel in _ENERGIES.items() if {word, "ENERGY"} <= words), Channel.SINGLE)


def read(data: bytes) -> Scan:
    """The channel that a DX file holds. What is not proportional to the radiation becomes a picture only.

    Raises:
        ScanError: the file is damaged, too large, or not such an image.
    """
    return from_dataset(parse(data))


def from_dataset(dataset: Dataset) -> Scan:
    """Like ``read``, of what pydicom has parsed."""
    sop_class = read_value(dataset, "SOPClassUID", str, "")
    if sop_class not in uids.IMAGES:
        raise ScanError(
            "unsupported-dicos", f"The file is of the class {sop_class[:64]}: only digital X-ray images are read."
        )
    kinds = read_value(dataset, "ImageType", texts, ())
    derived = next((kind for kind in kinds[1:] if kind.upper().startswith(_DERIVED)), None)
    if derived is not None:
        raise ScanError("derived-image", f"The image is the scanner's own {derived}, not counts: it is not analysed.")
    pixels = _pixels(dataset)
    remarks = invalid_identifiers(dataset)
    linear = read_value(dataset, "PixelIntensityRelationship", str, "LIN") == "LIN"
    if read_value(dataset, "PixelIntensityRelationshipSign", int, 1) < 0:
        pixels = np.subtract((1 << _bits(dataset)) - 1, pixels, dtype=pixels.dtype)
        remarks += ("Its values fall with the radiation: they were turned over.",)
    if sop_class.startswith(uids.DX_PRESENTATION):
        remarks += (_PRESENTATION,)
    common: dict[str, Any] = {"metadata": metadata(dataset), "pitch_mm": _pitch(dataset)}
    if not linear or pixels.dtype == np.uint8:
        why = "8 bits only" if linear else "not proportional to the radiation"
        remarks += (f"Its values are {why}: it is kept as a picture, and not analysed.",)
        grey = pixels if pixels.dtype == np.uint8 else (pixels >> (_bits(dataset) - 8)).astype(np.uint8)
        return Scan(picture=encode_picture(grey, ".png"), remarks=remarks, **common)
    channel = channel_of(dataset)
    level = _dark(dataset)
    return Scan(**common | {channel.value: pixels}, dark={channel: level} if level else {}, remarks=remarks)


def _bits(dataset: Dataset) -> int:
    allocated = read_value(dataset, "BitsAllocated", int, 0)
    stored = read_value(dataset, "BitsStored", int, allocated)
    if allocated not in {8, 16} or not 8 <= stored <= allocated:
        raise ScanError("unsupported-dicos", f"Pixels of {stored} in {allocated} bits are not read, but 8 to 16.")
    return int(stored)


def _pitch(dataset: Dataset) -> tuple[float, float] | None:
    for name in _SPACINGS:
        spacing = read_value(dataset, name, lambda value: tuple(float(v) for v in value))
        if spacing is not None and len(spacing) == 2 and all(0 < v < 100 for v in spacing):
            return spacing[0], spacing[1]
    return None


def _dark(dataset: Dataset) -> float:
    """Counts without radiation: the stored value that Rescale Slope and Intercept make zero."""
    slope, intercept = (read_value(dataset, f"Rescale{name}", float, 0.0) for name in ("Slope", "Intercept"))
    return -intercept / slope if slope > 0 and intercept < 0 else 0.0


def _pixels(dataset: Dataset) -> NDArray[Any]:
    if "Rows" not in dataset or "Columns" not in dataset:
        raise truncated()
    rows, columns = (read_value(dataset, name, int, 0) for name in ("Rows", "Columns"))
    check_size(rows, columns)
    bits = _bits(dataset)
    for name, wanted in (("SamplesPerPixel", 1), ("PixelRepresentation", 0), ("NumberOfFrames", 1)):
        found = read_value(dataset, name, int, wanted)
        if found != wanted:
            raise ScanError("unsupported-dicos", f"{name} is {found}; only {wanted} is read.")
    body = read_value(dataset, "PixelData", bytes)
    if body is None:
        raise truncated()
    dtype = np.dtype("<u2" if bits > 8 or dataset.BitsAllocated == 16 else "u1")
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
    if syntax in {uids.IMPLICIT, uids.EXPLICIT, uids.BIG_ENDIAN}:
        found_type = dtype.newbyteorder(">") if syntax == uids.BIG_ENDIAN else dtype
        if len(body) < rows * columns * dtype.itemsize:
            raise truncated()
        pixels = np.frombuffer(body, found_type, rows * columns).astype(dtype).reshape(rows, columns)
    elif syntax in {uids.JPEG_LOSSLESS_SV1, uids.JPEG_LOSSLESS}:
        pixels = _jpeg_lossless(_frame(body), rows, columns)
    elif syntax == uids.RLE:
        pixels = _rle(_frame(body), rows, columns, dtype)
    else:
        raise ScanError(
            "unsupported-syntax",
            f"The transfer syntax {syntax} is not read: set the scanner to explicit or implicit little endian, "
            "JPEG lossless or RLE.",
        )
    if bits < dtype.itemsize * 8 and pixels.size and int(pixels.max()) >> bits:
        raise damaged()
    return pixels


def _frame(body: bytes) -> bytes:
    try:
        return next(generate_frames(body, number_of_frames=1))
    except Exception:  # a cut or damaged encapsulation
        raise truncated() from None


def _jpeg_lossless(frame: bytes, rows: int, columns: int) -> NDArray[Any]:
    if _frame_size(frame) != (rows, columns):
        raise damaged()  # before the decoder allocates what the inner header says
    try:
        pixels = imagecodecs.ljpeg_decode(frame)
    except Exception:
        raise truncated() from None
    if pixels.shape != (rows, columns):
        raise damaged()
    return np.asarray(pixels)


def _frame_size(frame: bytes) -> tuple[int, int] | None:
    """(rows, columns) of a JPEG by its frame header SOF3 (ITU-T T.81, B.2.2); None if there is none."""
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], struct.unpack_from(">H", frame, at + 2)[0]
        if marker == 0xC3:
            size: tuple[int, int] = struct.unpack_from(">HH", frame, at + 5)
            return size
        at += 2 + length
    return None


def _rle(frame: bytes, rows: int, columns: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        decoded = imagecodecs.dicomrle_decode(frame, dtype, out=rows * columns * dtype.itemsize)
    except Exception:
        raise truncated() from None
    if len(decoded) != rows * columns * dtype.itemsize:
        raise truncated()
    return np.frombuffer(decoded, dtype).reshape(rows, columns).copy()


def write(scan: Scan, channel: Channel, *, syntax: str = uids.EXPLICIT, study: str = "") -> bytes:
    """A DX file for processing of one channel of a scan, with what a strict reader asks for.

    Args:
        scan: a scan that has this channel.
        channel: low, high or single.
        syntax: explicit or implicit little endian, JPEG lossless SV1 or RLE.
        study: Study Instance UID, by which the files of one scan belong together; a new one if empty.

    Raises:
        ValueError: the scan has no such channel, or the syntax is not written.
    """
    pixels: Counts | None = getattr(scan, channel.value)
    if pixels is None or channel not in _IMAGE_TYPES:
        raise ValueError(f"the scan has no counts of the channel {channel}")
    dataset = new(uids.DX_PROCESSING, syntax)
    if study:
        dataset.StudyInstanceUID = study
    dataset.ImageType = ["ORIGINAL", _IMAGE_TYPES[channel]]
    dataset.Modality = "XRAY"
    dataset.PresentationIntentType = "FOR PROCESSING"
    dataset.InstanceNumber = 1 + list(_IMAGE_TYPES).index(channel)
    for keyword in ("PatientID", "DeviceSerialNumber", "ManufacturerModelName", "OOIType"):
        if keyword in scan.metadata:
            setattr(dataset, keyword, scan.metadata[keyword])
    dataset.add_new(IMAGE_ORIGIN, "CS", "MACHINE")
    dataset.add_new(COORDINATE_SYSTEM, "CS", "LHS")
    dataset.add_new(0x00187004, "CS", "SCINTILLATOR")
    dataset.add_new(0x00188151, "DS", scan.metadata.get("XRayTubeCurrentInuA") or "0")
    dataset.add_new(EFFECTIVE_ENERGY, "FL", 0.0)
    dataset.KVP = scan.metadata.get("KVP") or "0"
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = ["0", "0", "0"], ["1", "0", "0", "0", "1", "0"]
    dataset.AcquisitionContextSequence = []
    if scan.pitch_mm is not None:
        dataset.PixelSpacing = [f"{v:.6g}" for v in scan.pitch_mm]
        dataset.PixelSpacingCalibrationType = "GEOMETRY"
        dataset.PixelSpacingCalibrationDescription = "in the plane of the object"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    dataset.BurnedInAnnotation = "NO"
    dataset.PixelIntensityRelationship = "LIN"
    dataset.PixelIntensityRelationshipSign = 1
    dataset.RescaleIntercept = f"{-scan.dark.get(channel, 0):g}"
    dataset.RescaleSlope, dataset.RescaleType = "1", "US"
    dataset.LossyImageCompression = "00"
    dataset.PresentationLUTShape = "IDENTITY"
    body = np.ascontiguousarray(pixels, "<u2")
    if syntax in {uids.EXPLICIT, uids.IMPLICIT}:
        dataset.PixelData = body.tobytes()
        dataset["PixelData"].VR = "OW"
    elif syntax == uids.JPEG_LOSSLESS_SV1:
        dataset.PixelData = encapsulate([bytes(imagecodecs.ljpeg_encode(body, bitspersample=16))])
        dataset["PixelData"].VR = "OB"
    elif syntax == uids.RLE:
        dataset.compress(uids.RLE, body, encoding_plugin="pydicom", generate_instance_uid=False)
    else:
        raise ValueError(f"the transfer syntax {syntax} is not written")
    return encode(dataset)
