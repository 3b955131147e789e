"""Test pieces as they are described in TOML: where the parts lie."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from edge_agent.driver import DriverError

if TYPE_CHECKING:
    from edge_agent.processing.xray.quality import Piece

READY: Final = Path(__file__).parent / "pieces"
MAX_BYTES: Final = 65_536


def load(piece: str) -> Piece:
    """The test piece of this name, or described in the file of this path.

    Raises:
        DriverError: there is none, or its description has mistakes, which are said.
    """
    from edge_agent.processing.xray.quality import Piece

    ready = sorted(path.stem for path in READY.glob("*.toml"))
    path = READY / f"{piece}.toml" if piece in ready else Path(piece)
    try:
        with path.open("rb") as opened:
            text = opened.read(MAX_BYTES).decode()
        return TypeAdapter(Piece).validate_python(tomllib.loads(text))
    except OSError:
        raise DriverError(f'There is no test piece "{piece}": name a file, or one of {", ".join(ready)}.') from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DriverError(
            f"The test piece {piece} has {error.error_count()} mistakes; {where}: {first['msg']}."
        ) from None
    except ValueError as error:  # not UTF-8, or no TOML
        raise DriverError(f"The test piece {piece} is no TOML: {error}.") from None
