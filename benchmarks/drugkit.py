"""Drug kits and search tools in one run: colour tests, spectra and their search, bar codes.

    python -m benchmarks.drugkit ../shared/data

Each part is a benchmark of its own, with its seeds and more options: ``benchmarks.drugkit_colour``,
``benchmarks.spectra`` (beside the readers ``jcamp`` and ``spc-io``) and ``benchmarks.barcode`` (beside zxing-cpp and
zbar alone).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run the three, each in a process of its own, and end as the worst of them did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with drugkit/spectra and cctv/barcodes")
    parser.add_argument("--scenes", type=int, default=150, help="rendered scenes for each part of the colour tests")
    chosen = parser.parse_args()
    parts = (
        ("benchmarks.drugkit_colour", "--scenes", str(chosen.scenes)),
        ("benchmarks.spectra", str(chosen.data / "drugkit" / "spectra")),
        ("benchmarks.barcode", str(chosen.data / "cctv" / "barcodes"), "--every", "8"),
    )
    codes = []
    for part in parts:
        print(f"\n== python -m {' '.join(part)}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", *part], check=False).returncode)
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
