"""Test pieces as they are described in TOML: where the parts lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from drivers.xray.description import read

if TYPE_CHECKING:
    from edge_agent.processing.xray.piece import Piece

READY: Final = Path(__file__).parent / "pieces"


def load(piece: str) -> Piece:
    """The test piece of this name, or described in the file of this path.

    Raises:
        DriverError: there is none, or its description has mistakes, which are said.
    """
    from edge_agent.processing.xray.piece import Piece

    return read(piece, READY, "test piece", TypeAdapter(Piece).validate_python)
