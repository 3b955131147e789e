"""What all workers have in common: imported and warmed once, in the process from which they are forked.

numba's cache decides how long this takes (0.1 s against seconds), and is the part that breaks: a cache that is missing,
read-only or was cut short by a power failure makes numba raise at import or at the first call. A cache that fails is
wiped and filled again; if even that fails, the kernels are compiled into a folder that lives as long as the process.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from edge_agent.daemon import worker
from edge_agent.daemon.paths import kernel_cache

MODULES = "EDGE_AGENT_PRELOAD"
"""Environment variable with the names of the modules to import, separated by commas."""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""One thread for each worker: two were three to five times slower on small work."""

__all__ = ["prepare_environment", "warm", "worker"]


def prepare_environment(modules: tuple[str, ...] = ()) -> None:
    """Set what numba, NumPy and the forked processes read from the environment; call before any of them is imported."""
    for name in THREADS:
        os.environ[name] = "1"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(kernel_cache()))
    os.environ[MODULES] = ",".join(modules)


def warm(modules: tuple[str, ...]) -> str | None:
    """Import the modules and call their ``warm``; return what had to be done about the cache, None if nothing.

    Raises:
        ModuleNotFoundError: one is missing, which is no fault of the cache.
        Exception: whatever still fails with an empty cache of its own: then it is not the cache.

    """
    try:
        _warm(modules)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        why = type(error).__name__
    else:
        return None
    cache = Path(os.environ["NUMBA_CACHE_DIR"])
    shutil.rmtree(cache, ignore_errors=True)
    _forget(modules)
    try:
        _warm(modules)
    except Exception:
        _forget(modules)
        _use_cache(tempfile.mkdtemp(prefix="edge-agent-kernels-"))
        _warm(modules)
        return f"the kernel cache {cache} cannot be used ({why}): compiled for this run only"
    return f"the kernel cache was damaged ({why}) and has been made anew"


def _warm(modules: tuple[str, ...]) -> None:
    for name in modules:
        module = import_module(name)
        if "numba" in sys.modules:
            _numba_without_blas()
        if hasattr(module, "warm"):
            module.warm()


def _numba_without_blas() -> None:
    """Keep numba from loading scipy's linear algebra, which no kernel uses: 10 MB in every worker."""
    if {"numba.np.arraymath", "scipy.linalg"} & sys.modules.keys():
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]  # as Python marks what cannot be imported
    try:
        import_module("numba.np.arraymath")  # looks for it once
    finally:
        del sys.modules["scipy.linalg"]


def _forget(modules: tuple[str, ...]) -> None:
    """Have modules, and the kernels that they may have brought, imported anew."""
    for name in [name for name in sys.modules if name in modules or name.startswith("edge_agent.processing")]:
        del sys.modules[name]


def _use_cache(folder: str) -> None:
    os.environ["NUMBA_CACHE_DIR"] = folder
    config = sys.modules.get("numba.core.config")
    if config is not None:
        config.CACHE_DIR = folder  # type: ignore[attr-defined]  # numba reads it here


def _in_forkserver() -> None:
    modules = tuple(name for name in os.environ.get(MODULES, "").split(",") if name)
    try:
        note = warm(modules)
    except Exception as error:
        note = f"preloading failed ({type(error).__name__})"
    if note:
        print(f"edge-agent: {note}", file=sys.stderr)


if MODULES in os.environ and sys.argv[0] == "-c":  # multiprocessing starts its fork server as `python -c`
    _in_forkserver()
