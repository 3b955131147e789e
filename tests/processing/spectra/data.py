"""The real files, where they are at hand, and hostile ones."""

from __future__ import annotations

from pathlib import Path

import pytest

SPECTRA = Path(__file__).parents[4] / "shared" / "data" / "drugkit" / "spectra"

needs_spectra = pytest.mark.skipif(not SPECTRA.is_dir(), reason="the real spectra are not here")


def real(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in SPECTRA.glob(pattern))
