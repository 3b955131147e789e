"""Number plates in what an OCR read of a picture: candidates only, since no state has a check digit on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from edge_agent.processing.video.container_code import MOST, Read

_LIKELY: Final = re.compile(r"(?=.*[0-9]{2})(?=.*[^\W\d_])[^\W_]{4,10}")
"""Letters (of any alphabet) and digits together, at least two digits, 4 to 10 characters."""


def plates(pictures: Iterable[Sequence[Read]]) -> list[tuple[str, float, int]]:
    """What could be plates in several pictures of the same thing, as (text, confidence, pictures), likeliest first.

    A plate that was read in one picture alone is believed half as much as the OCR says.
    """
    doubt: dict[str, float] = {}
    seen: dict[str, int] = {}
    for reads in pictures:
        best: dict[str, float] = {}
        for piece in reads:
            text = re.sub(r"[\W_]", "", piece.text).upper()
            if _LIKELY.fullmatch(text):
                best[text] = max(best.get(text, 0.0), piece.confidence)
        for text, confidence in best.items():
            doubt[text] = doubt.get(text, 1.0) * (1.0 - confidence / 2)
            seen[text] = seen.get(text, 0) + 1
    ranked = sorted(doubt, key=lambda text: (doubt[text], text))[:MOST]
    return [(text, 1.0 - doubt[text], seen[text]) for text in ranked]
