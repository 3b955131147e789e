"""Check digits of the machine readable zone (ICAO Doc 9303 part 3, section 4.9)."""

from __future__ import annotations

from typing import Final

FILLER: Final = "<"
DIGITS: Final = "0123456789"
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABET: Final = DIGITS + LETTERS + FILLER
"""The 37 characters of a machine readable zone."""

WEIGHTS: Final = (7, 3, 1)
"""Repeated over the covered characters, the first character by 7."""

VALUES: Final = {character: value for value, character in enumerate(DIGITS + LETTERS)} | {FILLER: 0}

BLIND_CLASSES: Final = tuple(
    "".join(character for character in ALPHABET if VALUES[character] % 10 == remainder) for remainder in range(10)
)
"""Characters that no check digit tells apart: exchanging two of one class changes no sum modulo 10.

Each weight is coprime to 10, so every exchange between two classes is noticed.
"""


def check_digit(text: str) -> int:
    """The check digit (0 to 9) over ``text``.

    Raises:
        ValueError: a character is not one of the 37 of the machine readable zone.
    """
    try:
        return sum(VALUES[character] * WEIGHTS[i % 3] for i, character in enumerate(text)) % 10
    except KeyError as error:
        raise ValueError(f"{error} is no character of a machine readable zone") from None
