"""Identification of freight containers: owner code, category, serial number and check digit.

Source: ISO 6346:2022, section 4 and annex A (the check digit).
"""

from __future__ import annotations

import re
from typing import Final

_CODE: Final = re.compile(r"[A-Z]{4}[0-9]{6}")
_VALUES: Final = dict(
    zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(39) if n == 0 or n % 11), strict=True)
)


def check_digit(code: str) -> int:
    """The check digit of a container number.

    Letters count from 10, multiples of 11 left out; each value is weighted by a power of two, and the sum is taken
    modulo 11. A remainder of 10 becomes 0, so that a few misreadings pass (8 of 154 single letters of one example).

    Args:
        code: four capital letters and six digits; what follows is not looked at.

    Raises:
        ValueError: it does not begin so.
    """
    if not _CODE.match(code):
        raise ValueError("a container number begins with four capital letters and six digits")
    return sum(_VALUES[character] << place for place, character in enumerate(code[:10])) % 11 % 10


def is_valid(code: str) -> bool:
    """Whether these are four capital letters and seven digits, the last of which is the check digit."""
    return re.fullmatch(r"[A-Z]{4}[0-9]{7}", code) is not None and check_digit(code) == int(code[10])
