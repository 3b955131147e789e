"""Freight container codes (ISO 6346): owner, category, serial number, and the check digit over them."""

from __future__ import annotations

import re
from typing import Final

CODE: Final = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")
"""Owner (three letters), category (U container, J equipment on it, Z chassis), serial number (six), check digit."""

VALUES: Final = {str(digit): digit for digit in range(10)} | dict(
    zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (value for value in range(10, 39) if value % 11), strict=True)
)
"""ISO 6346, annex A: the letters leave out the multiples of 11."""


def check_digit(text: str) -> int:
    """The check digit (0 to 9) over the first ten characters of a code.

    A sum that leaves the remainder 10 has the digit 0 as well, and letters of equal remainder are not told apart: about
    one substitution in twenty passes.

    Raises:
        ValueError: it has not ten characters, or others than capital letters and digits.
    """
    if len(text) != 10 or not all(character in VALUES for character in text):
        raise ValueError("a container code has ten capital letters and digits before its check digit")
    return sum(VALUES[character] << place for place, character in enumerate(text)) % 11 % 10


def is_valid(code: str) -> bool:
    """Whether a text of eleven characters is a container code with the right check digit."""
    return CODE.fullmatch(code) is not None and check_digit(code[:10]) == int(code[10])
