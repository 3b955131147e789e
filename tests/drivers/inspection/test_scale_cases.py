"""What scales were seen or are known to send, as folders: the device's settings, the bytes on the wire, the events.

``wire.txt`` says in its first line what happens; the others are the bytes, with escapes, whatever line they stand in.
"""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path

import pytest

from drivers.inspection.scale import Scale, ScaleSettings
from edge_agent.events.inspection import Weighed
from tests.drivers.wires import Wire

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
QUIET_SECONDS = 0.5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_on_the_wire_becomes_these_events(case: Path, tmp_path: Path) -> None:
    _, *lines = (case / "wire.txt").read_text().splitlines()
    sent = "".join(lines).encode().decode("unicode_escape").encode("latin-1")
    settings = tomllib.loads((case / "device.toml").read_text())
    found: list[Weighed] = []
    with Wire(tmp_path / "port") as wire:
        observations = Scale(ScaleSettings(port=str(wire.link), **settings)).observe()
        next(observations)
        wire.send(sent)
        last = time.monotonic()
        while time.monotonic() - last < QUIET_SECONDS:
            observation = next(observations)
            if observation is not None:
                assert isinstance(observation.data, Weighed)
                found.append(observation.data)
                last = time.monotonic()
    expected = json.loads((case / "expected.json").read_text())
    said = [each.model_dump(include=set(want)) for each, want in zip(found, expected, strict=True)]
    assert said == expected
