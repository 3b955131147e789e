"""What was measured of a device against something known: ``calibration/<device>.toml`` in the state directory.

The file belongs to the machine: it is written whole by ``edge-agent calibrate``, never by hand, and what a person wrote
in ``devices/`` is never touched. It says who measured what with which fixture, and holds the one before, to go back to.
"""

from __future__ import annotations

import getpass
import os
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_agent.durable import write

FOLDER: Final = Path("calibration")
"""In the state directory, which is the working directory of every driver."""
MAX_BYTES: Final = 4 * 1024**2
_HEAD: Final = (
    "# Written by `edge-agent calibrate`, which keeps the calibration before as [previous]. Not to be edited.\n\n"
)

Table = dict[str, Any]
"""A TOML table: texts, numbers, times, and lists and tables of them."""


def user() -> str:
    """The account at the keyboard, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


class Calibration(BaseModel):
    """One calibration of one device."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    made: Annotated[datetime, Field(description="When")] = Field(default_factory=lambda: datetime.now(UTC))
    by: str = Field(default_factory=user, description="Who")
    fixture: str = Field(description="Against what: the test piece, card or film, with its number")
    readings: Table = Field(default={}, description="What was measured")
    values: Table = Field(description="What the driver corrects with")


class _File(Calibration):
    previous: Calibration | None = None


class CalibrationError(Exception):
    """A calibration cannot be read, written or undone; says which and what to do."""


def path(device: str, state: Path = Path()) -> Path:
    """The file of a device's calibration; ``state`` is the state directory, where drivers are anyway."""
    return state / FOLDER / f"{device}.toml"


def load(file: Path) -> Calibration | None:
    """The calibration in a file; None if the device has never been calibrated.

    Raises:
        CalibrationError: the file is damaged.
    """
    found = _read(file)
    return Calibration(**found.model_dump(exclude={"previous"})) if found is not None else None


def save(file: Path, calibration: Calibration) -> None:
    """Keep a calibration, and the one before as its ``[previous]``; survives a power failure at any moment.

    Raises:
        CalibrationError: it cannot be written.
    """
    try:
        before = load(file)
    except CalibrationError:
        before = None  # a damaged one is nothing to go back to
    _write(file, calibration, before)


def undo(file: Path) -> Calibration:
    """Go back to the calibration before, which is returned.

    Raises:
        CalibrationError: there is none, or it cannot be written.
    """
    found = _read(file)
    if found is None or found.previous is None:
        raise CalibrationError(f"{file} holds no calibration before the present one: calibrate anew.")
    _write(file, found.previous, None)
    return found.previous


def _read(file: Path) -> _File | None:
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CalibrationError(f"{file} cannot be read ({os.strerror(error.errno or 0)}).") from None
    try:
        if len(text) > MAX_BYTES:
            raise ValueError
        return _File.model_validate(tomllib.loads(text.decode()))
    except (ValueError, ValidationError):  # both decoding errors are ValueErrors
        raise CalibrationError(f"{file} is damaged: calibrate the device anew.") from None


def _write(file: Path, calibration: Calibration, before: Calibration | None) -> None:
    table = calibration.model_dump() | ({"previous": before.model_dump()} if before is not None else {})
    text = _HEAD + tomli_w.dumps(table)
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        owner = file.parent.parent.stat()  # root calibrates, the agent's user reads
        if os.geteuid() == 0:
            os.chown(file.parent, owner.st_uid, owner.st_gid)
        write(file, text.encode(), owner=owner)
    except OSError as error:
        raise CalibrationError(
            f"{file} cannot be written ({os.strerror(error.errno or 0)}): be the agent's user, as with "
            "`sudo -u edge-agent`."
        ) from None
