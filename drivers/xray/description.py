"""What a site describes in TOML beside its device files: layouts of scans, and test pieces. Ready ones come with us."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from edge_agent.driver import DriverError

MAX_BYTES: Final = 65_536

T = TypeVar("T")


def read(name: str, ready: Path, what: str, validate: Callable[[dict[str, Any]], T]) -> T:
    """The description of this name in the folder ``ready``, or in the file of this path.

    Raises:
        DriverError: there is none, or it has mistakes, which are said.
    """
    known = sorted(path.stem for path in ready.glob("*.toml"))
    path = ready / f"{name}.toml" if name in known else Path(name)
    try:
        with path.open("rb") as opened:
            text = opened.read(MAX_BYTES).decode()
        return validate(tomllib.loads(text))
    except OSError:
        raise DriverError(f'There is no {what} "{name}": name a file, or one of {", ".join(known)}.') from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DriverError(f"The {what} {name} has {error.error_count()} mistakes; {where}: {first['msg']}.") from None
    except ValueError as error:  # not UTF-8, or no TOML
        raise DriverError(f"The {what} {name} is no TOML: {error}.") from None
