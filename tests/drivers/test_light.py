"""The main process imports every driver for its settings: none may bring NumPy and its like into it."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from edge_agent.registry import find, kinds
import edge_agent.daemon.agent
for kind in kinds():
    find(kind)
print(*sorted({"numpy", "cv2", "numba", "PIL", "skimage", "passporteye"} & set(sys.modules)))
"""


def test_no_driver_is_heavy_to_import() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
