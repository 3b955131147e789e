"""edge-agent record, with options and as a form, and how its records reach the journal."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from edge_agent.cli import app
from edge_agent.cli.record import form
from edge_agent.cli.record.recent import Events
from edge_agent.daemon.journal import Entry, Journal
from edge_agent.events.envelope import EventData, encode
from edge_agent.events.inspection import DensityRead, SearchRecord, Weighed

EXAMPLE = Path(__file__).parents[3] / "config"
SCALE_EVENT = UUID("01a2144a-74f4-7ee9-9171-0fa82637f301")
runner = CliRunner()
WEIGHED = Weighed(
    value=4.876, unit="kg", shown="4.876", kilograms=4.876, net=False, frame="ST,GS,+  4.876kg", protocol="and"
)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    folder = tmp_path / "config"
    (folder / "devices").mkdir(parents=True)
    shutil.copy(EXAMPLE / "agent.toml", folder)
    for name in ("search-record", "lane-1-density"):
        shutil.copy(EXAMPLE / "devices" / f"{name}.toml", folder / "devices")
    return folder


@pytest.fixture
def journal(tmp_path: Path, config: Path) -> Path:
    path = tmp_path / "state" / "journal.db"
    with Journal(path, create=True) as opened:
        opened.append([entry("lane-1-scale", WEIGHED, str(SCALE_EVENT))])
    return path


def entry(device: str, data: EventData, event: str) -> Entry:
    encoded = encode(data, event_id=event, source=f"/blo/kz/kordai/{device}", observed=datetime.now(UTC))
    return Entry(f"blo/v1/kz/kordai/{device}/{data.family}/{data.event}", encoded)


def record(config: Path, *words: str, answers: str = "") -> Any:
    return runner.invoke(app, ["record", "--config", str(config), *words], input=answers)


def spooled(config: Path) -> list[SearchRecord]:
    folder = config.parent / "state" / "spool" / "record"
    return [SearchRecord.model_validate_json(path.read_text()) for path in sorted(folder.glob("*"))]


def test_only_the_outcome_has_to_be_given(config: Path) -> None:
    result = record(config, "--outcome", "nothing_found", "--json")
    assert result.exit_code == 0
    (made,) = spooled(config)
    assert (made.outcome, made.nominal, made.events) == ("nothing_found", False, [])
    said = json.loads(result.stdout)
    assert said["search"] == str(made.search)
    assert Path(said["file"]).name == f"{made.search}.json"
    assert SearchRecord.model_validate(said["record"]) == made


def test_everything_can_be_given_and_events_are_found_in_the_journal(config: Path, journal: Path) -> None:
    words = ["--outcome", "seizure", "--vehicle", "123ABC02", "--vehicle-country", "kaz", "--method", "scan"]
    words += ["--container", "csqu 305438 3", "--event", "1", "--officer", "7"]
    words += ["--seizure", "goods=heroin; quantity=4,2 kg; packages=8; place=fuel tank; weight=1"]
    words += ["--seizure", "goods=tramadol; quantity=900 tablets; identified=declared"]
    words += ["--person", "name=A B; role=driver; nationality=UTO"]
    assert record(config, *words).exit_code == 0
    (made,) = spooled(config)
    assert made.events[0].model_dump() == {
        "event": SCALE_EVENT,
        "role": "weight",
        "type": "org.blo.edge.inspection.weight.v1",
    }
    heroin, tramadol = made.seizures
    assert (heroin.quantity, heroin.unit, heroin.packages, heroin.weight) == (4.2, "kg", 8, SCALE_EVENT)
    assert (heroin.identified, tramadol.identified, tramadol.unit) == ("presumptive", "declared", "tablets")
    assert (made.container, made.nominal, made.persons[0].role) == ("CSQU3054383", True, "driver")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--container", "CSQU3054384"], "check digit"),
        (["--event", "99"], "there is no event 99"),
        (["--seizure", "goods=x; quantity=4 lb"], "seizures.0.unit"),
        (["--seizure", "goods=x; quantity=much kg"], "seizures.0.quantity"),
        (["--seizure", "goods=x; colour=white"], "there is no colour"),
        (["--method", "guess"], "methods.0"),
        (["--departure", "Utopia"], "departure"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_recorded(config: Path, words: list[str], said: str) -> None:
    result = record(config, "--outcome", "seizure", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert spooled(config) == []


def test_without_a_terminal_the_outcome_must_be_given(config: Path) -> None:
    assert record(config).exit_code == 2


def test_a_post_without_the_driver_says_so(config: Path) -> None:
    (config / "devices" / "search-record.toml").unlink()
    result = record(config, "--outcome", "nothing_found")
    assert result.exit_code == 1
    assert "no device with the driver inspection.record" in result.stderr


def test_a_spool_that_cannot_be_written_to_says_who_could(config: Path) -> None:
    (config.parent / "state" / "spool").write_text("in the way")
    result = record(config, "--outcome", "nothing_found")
    assert result.exit_code == 1
    assert "try as the user of the agent" in result.stderr


def test_the_form_offers_recent_events_and_asks_again_where_something_does_not_fit(
    config: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "2|1|dog, guess|dog, scan|123ABC02|Utopia|UT|||CSQU3054384|CSQU3054383"
    said += "|heroin|4,2 lb|4,2 kg|8|powder|fuel tank|welded box|1|"
    said += "|driver|A B|UTO|||Officer 7|"
    answers = iter(said.split("|"))
    asked = iter(["seizure", "routine", "road", "entry", "presumptive"])

    def ask(question: str, **options: Any) -> str:
        return next(asked) if "choices" in options else next(answers)

    monkeypatch.setattr(form.Prompt, "ask", ask)
    monkeypatch.setattr(form.Confirm, "ask", lambda *_, **__: True)
    given = dict.fromkeys(
        ("reason", "transport", "direction", "vehicle", "vehicle_country", "departure", "destination", "container"), ""
    ) | {"methods": [], "officer": "", "note": ""}
    recent = Events(journal).recent(3)
    assert [(each.sequence, each.role, each.summary) for each in recent] == [(1, "weight", "4.876 kg")]
    made = form.ask(recent, given)
    assert next(answers, None) is None
    assert made["events"] == [recent[0].link()]
    assert made["methods"] == ["dog", "scan"]
    assert (made["container"], made["vehicle_country"]) == ("CSQU3054383", "UT")
    assert made["seizures"] == [
        {
            "goods": "heroin",
            "identified": "presumptive",
            "quantity": 4.2,
            "unit": "kg",
            "packages": 8,
            "form": "powder",
            "place": "fuel tank",
            "concealment": "welded box",
            "weight": SCALE_EVENT,
        }
    ]
    assert made["persons"] == [{"role": "driver", "name": "A B", "nationality": "UTO", "document": None}]


def test_events_of_long_ago_and_of_the_agent_are_not_offered(journal: Path) -> None:
    assert Events(journal).recent(0) == []
    assert Events(journal).find(str(SCALE_EVENT)) == Events(journal).find("1")
    assert Events(journal).find("01a2144a-0000-7ee9-9171-0fa82637f301") is None
    assert Events(journal.with_name("none.db")).recent(3) == []


def test_a_reading_of_a_density_meter_is_spooled(config: Path) -> None:
    words = ["record", "density", "142", "--place", "rear tyre", "--expected", "60", "--config", str(config), "--json"]
    result = runner.invoke(app, words)
    assert result.exit_code == 0
    (file,) = (config.parent / "state" / "spool" / "density").glob("*")
    read = DensityRead.model_validate_json(file.read_text())
    assert (read.value, read.expected, read.place, read.source) == (142, 60, "rear tyre", "typed")
    assert runner.invoke(app, [*words[:2], "nan", *words[3:]]).exit_code == 2
