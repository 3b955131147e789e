"""Records of searches and typed readings: from the spool to the event, and what may leave without persons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import folder as folder_module
from drivers.inspection.density import Density, DensitySettings
from drivers.inspection.record import Record, RecordSettings
from edge_agent.driver import Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.inspection import DensityRead, Link, Person, SearchRecord, Seizure, without_persons
from tests.drivers.wires import Wire

SEARCH = UUID("01a2144a-74f4-7ee9-9171-0fa82637f308")
SCAN, DOCUMENT = UUID(int=1), UUID(int=2)
FULL = SearchRecord(
    search=SEARCH,
    outcome="seizure",
    vehicle="123ABC02",
    vehicle_country="KAZ",
    container="CSQU3054383",
    seizures=[Seizure(goods="heroin", quantity=4.2, unit="kg", place="fuel tank")],
    persons=[Person(name="ERIKSSON ANNA", role="driver", nationality="UTO", document=DOCUMENT)],
    events=[Link(event=SCAN, role="scan"), Link(event=DOCUMENT, role="document")],
    nominal=True,
    officer="Officer 7",
    note="Anna Eriksson said that she knew nothing.",
)


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.005)
    return tmp_path


def taken(spool: Path, name: str, text: str) -> Observation:
    (spool / name).write_text(text)
    driver = Record(RecordSettings(folder=spool, patience_seconds=0))
    observation = next(each for each in driver.observe() if each is not None)
    assert observation.acknowledge is not None
    observation.acknowledge()
    return observation


def test_a_record_is_taken_once_under_its_own_name(spool: Path) -> None:
    one = taken(spool, "a.json", FULL.model_dump_json())
    again = taken(spool, "b.json", FULL.model_dump_json())
    assert one.data == FULL
    assert one.key == again.key == str(SEARCH)
    assert (spool / "processed" / "a.json").exists()


@pytest.mark.parametrize(
    ("change", "reason", "named"),
    [
        ({"outcome": "arrest"}, "not-a-record", "outcome"),
        ({"seizures": [{"goods": "x", "quantity": -1}]}, "not-a-record", "seizures"),
        ({"seizures": [{"goods": "x", "quantity": "NaN"}]}, "not-a-record", "seizures"),
        ({"colour": "blue"}, "not-a-record", "colour"),
        ({"note": "x" * 5000}, "not-a-record", "note"),
        ({"container": "CSQU3054384"}, "container-number", "check digit"),
    ],
)
def test_what_is_no_record_is_set_aside_and_nobody_named(
    spool: Path, change: dict[str, Any], reason: str, named: str
) -> None:
    found = taken(spool, "a.json", json.dumps(FULL.model_dump(mode="json") | change)).data
    assert isinstance(found, InputRejected)
    assert found.reason == reason
    assert named in found.message
    assert "ERIKSSON" not in found.message
    assert (spool / "failed" / "a.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00"])
def test_rubbish_is_set_aside(spool: Path, text: str) -> None:
    assert isinstance(taken(spool, "a.json", text).data, InputRejected)


def test_without_persons_nothing_leads_to_anybody() -> None:
    kept = without_persons(FULL)
    text = json.dumps(kept)
    for gone in ("ERIKSSON", "Anna", "123ABC02", "Officer 7", str(DOCUMENT)):
        assert gone not in text
    assert kept["nominal"] is False
    assert kept["seizures"][0]["quantity"] == 4.2
    assert kept["persons"] == [{"role": "driver", "nationality": "UTO"}]
    assert [link["event"] for link in kept["events"]] == [str(SCAN)]


NAME = "Ж%(name)Ж"


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "vehicle": st.just(NAME),
            "officer": st.just(NAME),
            "note": st.just(NAME),
            "persons": st.just([Person(name=NAME, document=DOCUMENT)]),
        },
    )
)
def test_whatever_names_a_person_falls_away(values: dict[str, Any]) -> None:
    record = SearchRecord(search=SEARCH, outcome="nothing_found", nominal=True, **values)
    assert NAME not in json.dumps(without_persons(record), ensure_ascii=False)


def density(spool: Path, **line: Any) -> Density:
    where: dict[str, Any] = {"folder": spool, "patience_seconds": 0}
    return Density(DensitySettings.model_validate(where | ({"line": line} if line else {})))


def test_typed_readings_become_events(spool: Path) -> None:
    read = DensityRead(value=142, unit="scale divisions", source="typed", place="tyre", expected=60)
    (spool / "a.json").write_text(read.model_dump_json())
    assert next(each for each in density(spool).observe() if each is not None).data == read
    (spool / "b.json").write_text('{"value": "much"}')
    found = [each.data for each in (next(iter_) for iter_ in [density(spool).observe()] * 4) if each is not None]
    assert any(isinstance(each, InputRejected) and each.reason == "not-a-reading" for each in found)


def test_a_meter_on_a_line_is_read_as_its_file_says(spool: Path, tmp_path: Path) -> None:
    with Wire(tmp_path / "meter") as wire:
        driver = density(spool, port=str(wire.link), pattern=r"D=(?P<value>[0-9]+(,[0-9]+)?)", end="\r", unit="g/cm3")
        observations = driver.observe()
        next(observations)
        wire.send(b"D=1,2")
        next(observations)
        wire.send(b"5\r\nD=x\r\n")
        read, rejected = [each.data for each in (next(observations) for _ in range(8)) if each is not None][:2]
        assert isinstance(read, DensityRead)
        assert (read.value, read.unit, read.source, read.frame) == (1.25, "g/cm3", "serial", "D=1,25")
        assert isinstance(rejected, InputRejected)
        assert rejected.reason == "no-reading"


@pytest.mark.parametrize(
    ("pattern", "said"), [("D=(", "no regular expression"), ("D=([0-9]+)", "does not say where the number is")]
)
def test_a_pattern_that_cannot_work_is_a_mistake_in_the_file(spool: Path, pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        density(spool, port="x", pattern=pattern)
