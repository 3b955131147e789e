"""Specimen travel documents of Utopia: invented holders, and the machine readable zones that belong to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from edge_agent.processing.mrz.check_digits import DIGITS, LETTERS
from edge_agent.processing.mrz.compose import compose
from edge_agent.processing.mrz.dates import PartialDate
from edge_agent.processing.mrz.formats import MRV_A, MRV_B, TD1, TD2, TD3, FormatName
from edge_agent.processing.mrz.result import Fields

STATE: Final = "UTO"
FORMATS: Final = {fmt.name: fmt for fmt in (TD1, TD2, TD3, MRV_A, MRV_B)}

_CODES: Final = {
    FormatName.TD1: ("I", "ID", "IR", "AC", "C"),
    FormatName.TD2: ("I", "ID", "A"),
    FormatName.TD3: ("P", "P", "PD", "PS", "PO"),
    FormatName.MRV_A: ("V", "VC"),
    FormatName.MRV_B: ("V", "VC"),
}
_FIRST: Final = (
    "A",
    "BEL",
    "DRO",
    "EX",
    "FEN",
    "GALU",
    "HOR",
    "ILVA",
    "JU",
    "KESTE",
    "LO",
    "MARU",
    "NIX",
    "OST",
    "PYR",
    "QUEN",
    "RIS",
    "SOL",
    "TAMI",
    "UGRI",
    "VEX",
    "WYM",
    "YAL",
    "ZOR",
)
_LAST: Final = (
    "BRAND",
    "DEX",
    "FELT",
    "GARD",
    "HOLM",
    "JUK",
    "KAR",
    "LUND",
    "MIR",
    "NOVA",
    "PETT",
    "QUIST",
    "RAX",
    "SVEN",
    "TOV",
    "VIK",
    "WEX",
    "YLD",
    "ZAN",
    "A",
    "EN",
    "OLA",
    "UM",
)


@dataclass(frozen=True, slots=True)
class Specimen:
    """A document that nobody has: its format, its fields and the lines of its machine readable zone."""

    format: FormatName
    fields: Fields
    lines: tuple[str, ...]


def specimen(
    rng: np.random.Generator,
    format: FormatName = FormatName.TD3,  # noqa: A002 (the word of Doc 9303)
    *,
    today: date = date(2026, 1, 1),
) -> Specimen:
    """Invent a document that is still valid ``today``; the same for the same ``rng``."""
    born = today - timedelta(days=int(rng.integers(1, 92 * 365)))
    expires = today + timedelta(days=int(rng.integers(30, 10 * 365)))
    visa = format in {FormatName.MRV_A, FormatName.MRV_B}
    extra = _number(rng, int(rng.integers(5, 8))) if rng.random() < 0.4 else ""
    long = format is FormatName.TD1 and rng.random() < 0.1
    fields = Fields(
        document_code=str(rng.choice(_CODES[format])),
        issuing_state=STATE,
        surname=_name(rng, int(rng.choice((1, 1, 1, 2)))),
        given_names=" ".join(_name(rng, 1) for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3), p=_FEW))),
        document_number=_number(rng, 12 if long else 9),
        nationality=STATE,
        birth_date=PartialDate(born.year, born.month, born.day),
        sex=str(rng.choice(("M", "F", "X", ""), p=(0.47, 0.47, 0.03, 0.03))),
        expiry_date=PartialDate(expires.year, expires.month, expires.day),
        personal_number=extra if format is FormatName.TD3 else None,
        optional_data=None if format is FormatName.TD3 else extra if visa or not long else "",
        optional_data_2="" if format is FormatName.TD1 else None,
    )
    return Specimen(format, fields, compose(FORMATS[format], fields))


_FEW: Final = (0.02, 0.2, 0.2, 0.2, 0.14, 0.14, 0.1)


def _name(rng: np.random.Generator, words: int) -> str:
    return " ".join(
        "".join((*rng.choice(_FIRST, size=int(rng.choice((1, 1, 1, 2)))), str(rng.choice(_LAST)))) for _ in range(words)
    )


def _number(rng: np.random.Generator, length: int) -> str:
    """A document number: one or two letters first, or letters among digits, as states please."""
    letters = rng.choice((1, 2, length // 3, 0))
    shape = [LETTERS] * letters + [DIGITS] * (length - letters)
    if letters > 2:
        shape = [shape[i] for i in rng.permutation(length)]
    return "".join(kind[rng.integers(len(kind))] for kind in shape)
