"""The event of a document reading, made from a parsed zone."""

import json
from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from drivers.passport.event import passport_read
from edge_agent.events.envelope import encode
from edge_agent.events.passport import Correction, PassportFields, PassportRead, Source, Verdict
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.result import Fields
from tests.processing.mrz.zones import GOOD

TODAY = date(2026, 11, 24)
SPECIMEN = GOOD["TD3 of Doc 9303 part 4"]


def read(text: str, doubt: str = "") -> PassportRead:
    return passport_read(
        parse(text, today=TODAY),
        source=Source.SWIPE,
        engine="edge-agent 0.1.0",
        milliseconds=1.5,
        confidence=0.999,
        corrections=[Correction(line=2, column=14, seen="I", decided="1")],
        doubt=doubt,
    )


@pytest.mark.parametrize("name", GOOD)
def test_every_specimen_becomes_an_event_that_reads_back(name: str) -> None:
    event = read(GOOD[name])
    assert event.verdict is Verdict.VALID
    assert PassportRead.model_validate_json(event.model_dump_json()) == event


def test_the_event_says_what_the_zone_says() -> None:
    event = read(SPECIMEN)
    assert event.fields.birth_date == "1974-08-12"
    assert event.fields.issuing_state_name == "Utopia (specimen)"
    assert event.checks["composite"] == "passed"
    assert event.findings == ["expired"]
    assert (event.valid, event.format, len(event.lines)) == (True, "TD3", 2)


def test_a_failed_check_makes_it_doubtful_with_the_reason() -> None:
    event = read(SPECIMEN.replace("L898902C36", "L898902C37"))
    assert (event.verdict, event.valid) == (Verdict.DOUBTFUL, False)
    assert "check digit of the document number" in event.problem


def test_a_device_in_doubt_is_never_overruled_by_check_digits() -> None:
    event = read(SPECIMEN, doubt="glare over the zone")
    assert (event.verdict, event.problem) == (Verdict.DOUBTFUL, "glare over the zone")


def test_what_is_no_zone_is_unreadable() -> None:
    event = read("nothing of the kind")
    assert (event.verdict, event.format) == (Verdict.UNREADABLE, None)
    assert event.problem


def test_a_sex_that_does_not_exist_is_null_and_explained() -> None:
    event = read(SPECIMEN.replace("7408122F", "7408122H"))
    assert event.fields.sex is None
    assert "'H' where M, F, X or < belongs" in event.problem


def test_it_is_personal_and_fits_the_envelope() -> None:
    text = encode(read(SPECIMEN), event_id="1", source="/blo/kz/kordai/desk", observed=datetime.now(UTC))
    envelope = json.loads(text + b"}")
    assert envelope["type"] == "org.blo.edge.passport.read.v1"
    assert envelope["dataclassification"] == "personal"
    assert envelope["data"]["fields"]["surname"] == "ERIKSSON"


def test_event_and_parser_have_the_same_fields() -> None:
    names = {"issuing_state_name", "nationality_name"}
    assert set(PassportFields.model_fields) - names == set(Fields.__dataclass_fields__)


@pytest.mark.parametrize("wrong", [{"confidence": 1.1}, {"milliseconds": -1}, {"verdict": "perhaps"}, {"extra": 1}])
def test_what_the_schema_forbids_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PassportRead.model_validate(read(SPECIMEN).model_dump() | wrong)
