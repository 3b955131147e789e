"""What happens to the cache of the kernels when preloading fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.daemon import preload


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = tmp_path / "cache" / "kernel.nbi"
    kept.parent.mkdir()
    kept.write_bytes(b"compiled")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(kept.parent))
    monkeypatch.syspath_prepend(tmp_path)
    return kept


def module(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text)
    sys.modules.pop(name, None)
    return name


def test_a_module_that_is_missing_leaves_the_cache_alone(cache: Path, tmp_path: Path) -> None:
    name = module(tmp_path, "wants_another", "import there_is_no_such_module")
    with pytest.raises(ModuleNotFoundError):
        preload.warm((name,))
    assert cache.exists()


def test_what_a_damaged_cache_may_have_caused_wipes_it_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload, "_forget", lambda _: None)  # other tests hold classes of these modules
    text = f"""
from pathlib import Path

def warm():
    if Path({str(cache)!r}).exists():
        raise EOFError
"""
    note = preload.warm((module(tmp_path, "reads_the_cache", text),))
    assert note == "the kernel cache was damaged (EOFError) and has been made anew"
    assert not cache.exists()


def test_workers_do_without_linear_algebra_until_they_ask_for_it() -> None:
    code = """
import subprocess
import sys
from edge_agent.daemon import preload
preload.warm(("edge_agent.processing.mrz.page",))
assert "numba.np.arraymath" in sys.modules
assert "scipy.linalg" not in sys.modules
import scipy.linalg
assert scipy.linalg.norm([3, 4]) == 5
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
