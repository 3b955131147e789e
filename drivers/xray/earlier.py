"""The earlier scan of each vehicle, found by an identifier that is never stored: only a keyed hash of it is.

Plates can all be tried, so a plain hash would give them away; without the key, which stays in the state directory, this
one does not. What is kept of a scan is coarse: attenuations in cells of some millimetres.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from edge_agent.durable import write
from edge_agent.processing.xray.maps import Maps

FOLDER: Final = Path("earlier-scans")
MAX_CELLS: Final = 2_000_000
_KEY: Final = ".key"
_SUFFIX: Final = ".npz"


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier scan and when it was made."""

    made: datetime
    maps: Maps


class EarlierScans:
    """The earlier scans of one device, in the state directory; the oldest go when there are too many.

    Args:
        device: its name.
        most: how many vehicles are remembered.
        most_bytes: in how many bytes.

    """

    def __init__(self, device: str, most: int, most_bytes: int) -> None:
        self._folder = FOLDER / device
        self._most = most
        self._most_bytes = most_bytes

    def find(self, identifier: str) -> Earlier | None:
        """The earlier scan of a vehicle; None if there is none, or if its file is damaged."""
        path = self._path(identifier)
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
                maps = Maps(
                    low=kept["low"].astype(np.float32),
                    high=kept["high"].astype(np.float32),
                    classes=kept["classes"],
                    sigma=kept["sigma"].astype(np.float32),
                    pitch_mm=(float(kept["pitch_mm"][0]), float(kept["pitch_mm"][1])),
                    known_pitch=bool(kept["known_pitch"]),
                    factor=int(kept["factor"]),
                    dual=bool(kept["dual"]),
                )
                return Earlier(datetime.fromtimestamp(float(kept["made"]), UTC), maps)
        except FileNotFoundError:
            return None
        except Exception:  # NumPy and zlib raise whatever a damaged file makes them stumble over
            path.unlink(missing_ok=True)
            return None

    def keep(self, identifier: str, maps: Maps) -> None:
        """Keep a scan instead of the vehicle's earlier one.

        Raises:
            OSError: it cannot be written.
        """
        if maps.high.size > MAX_CELLS:
            return
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            low=maps.low.astype(np.float16),
            high=maps.high.astype(np.float16),
            classes=maps.classes,
            sigma=maps.sigma.astype(np.float16),
            pitch_mm=np.array(maps.pitch_mm),
            known_pitch=np.array(maps.known_pitch),
            factor=np.array(maps.factor),
            dual=np.array(maps.dual),
            made=np.array(time.time()),
        )
        write(self._path(identifier), buffer.getvalue())
        self._tidy()

    def _path(self, identifier: str) -> Path:
        plain = "".join(identifier.split()).upper()
        return self._folder / f"{hmac.new(self._key(), plain.encode(), hashlib.sha256).hexdigest()}{_SUFFIX}"

    def _key(self) -> bytes:
        path = self._folder / _KEY
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = b""
        if len(key) != 32:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = secrets.token_bytes(32)
            write(path, key)
        return key

    def _tidy(self) -> None:
        with os.scandir(self._folder) as entries:
            kept = [
                (entry.stat().st_mtime, entry.stat().st_size, entry.path)
                for entry in entries
                if entry.name.endswith(_SUFFIX)
            ]
        total = 0
        for number, (_, size, path) in enumerate(sorted(kept, reverse=True)):
            total += size
            if number >= self._most or total > self._most_bytes:
                Path(path).unlink(missing_ok=True)
