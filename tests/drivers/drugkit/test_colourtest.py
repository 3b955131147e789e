"""Colour tests out of a folder and before a camera: pictures, films, steps, and what cannot be judged."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from drivers import folder as folder_module
from drivers.drugkit.colour_reading import Film, Memory, read_file
from drivers.drugkit.colourtest import ColourTest, ColourTestSettings
from drivers.drugkit.side_data import Kit, with_side_data
from drivers.folder import RejectedError
from edge_agent import calibration
from edge_agent.driver import DriverError, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.drugkit import ColourTestRead
from edge_agent.processing.colourtest.card import nominal_labs
from edge_agent.processing.colourtest.measured import to_values
from edge_agent.simulate.ampoule import jpeg, reaction_film, tiff
from tests.processing.colourtest.scenes import COCAINE, ORANGE, picture

MARQUIS = Kit(reagent="A.5", seconds=80, lot="K-1042")


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.005)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def driver(inbox: Path, **settings: Any) -> ColourTest:
    made = ColourTest(ColourTestSettings(folder=inbox, settle_seconds=0, patience_seconds=0, **settings))
    made.device = "colourtest"
    return made


def only(colourtest: ColourTest) -> Observation:
    observation = next(each for each in colourtest.observe() if each is not None)
    assert observation.acknowledge is not None
    observation.acknowledge()
    return observation


def read(data: bytes, kit: Kit = MARQUIS, memory: Memory | None = None) -> ColourTestRead:
    found = read_file(data, kit, None, memory or Memory()).data
    assert isinstance(found, ColourTestRead)
    return found


def test_a_picture_becomes_a_presumptive_event_with_its_evidence(inbox: Path) -> None:
    (inbox / "test.jpg").write_bytes(jpeg(picture()))
    observation = only(driver(inbox, reagent="A.5", kit_lot="K-1042", discard_date=date(2099, 1, 1)))
    event = observation.data
    assert isinstance(event, ColourTestRead)
    assert event.verdict == "consistent"
    assert "d-Amphetamine HCl" in event.consistent_with
    assert "Codeine" in event.not_consistent_with
    assert (event.presumptive, event.category, event.kit_lot) == (True, "C", "K-1042")
    assert {"time_unknown", "card_not_measured"} <= set(event.findings)
    assert "presumptive" in event.notice
    assert observation.evidence[0].media_type == "image/jpeg"
    assert observation.evidence[0].thumbnail is not None
    assert observation.evidence[0].thumbnail().startswith(b"\xff\xd8")
    assert (inbox / "processed" / "test.jpg").exists()


def test_a_picture_that_cannot_be_measured_is_an_event_and_goes_to_failed(inbox: Path) -> None:
    (inbox / "dark.jpg").write_bytes(jpeg(picture(shadow=0.5)))
    event = only(driver(inbox, reagent="A.5")).data
    assert isinstance(event, ColourTestRead)
    assert (event.verdict, event.findings) == ("inconclusive", ["shadow"])
    assert "shadow" in (inbox / "failed" / "dark.jpg.reason.txt").read_text()


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty-file"), (b"no picture", "not-an-image"), (b"\x00\x00\x00\x20ftypmp42" + bytes(99), "not-a-film")],
)
def test_what_is_no_picture_is_quarantined(inbox: Path, data: bytes, reason: str) -> None:
    (inbox / "odd").mkdir()
    (inbox / "odd").rmdir()
    (inbox / "odd.jpg").write_bytes(data)
    event = only(driver(inbox)).data
    assert isinstance(event, InputRejected)
    assert event.reason == reason


def test_16_bits_are_read_in_full_depth() -> None:
    cobalt = Kit(reagent="A.1", seconds=90)
    deep = read(tiff(picture(COCAINE, raw=True, noise=0.003)), cobalt)
    assert deep.card is not None
    assert deep.card.bits == 16
    assert deep.verdict == "consistent"
    assert "Cocaine HCl" in deep.consistent_with
    assert "outside_srgb" not in deep.findings


def test_8_bits_are_told_what_they_cannot_hold() -> None:
    event = read(jpeg(picture(COCAINE)), Kit(reagent="A.1", seconds=90))
    assert "outside_srgb" in event.findings
    assert "16-bit TIFF" in event.problem
    assert "Cocaine HCl" in event.consistent_with


@pytest.mark.parametrize(
    ("kit", "finding"),
    [
        (Kit(reagent="A.5", seconds=20), "outside_window"),
        (Kit(reagent="A.5", seconds=400), "outside_window"),
        (Kit(reagent="A.5", seconds=80, discard=date(2020, 1, 1)), "kit_expired"),
        (Kit(reagent="", seconds=80), "reagent_unknown"),
    ],
)
def test_what_cannot_be_judged_is_inconclusive_and_names_no_substance(kit: Kit, finding: str) -> None:
    event = read(jpeg(picture()), kit)
    assert event.verdict == "inconclusive"
    assert finding in event.findings
    assert event.consistent_with == []
    assert event.colour is not None
    assert event.problem


def test_the_picture_may_say_itself_which_test_it_is() -> None:
    said = {"reagent": "A.5", "seconds": 75, "lot": "K-7", "discard": "2099-03-31"}
    exif = Image.Exif()
    exif[270] = json.dumps(said)
    file = io.BytesIO()
    Image.fromarray(picture()[..., ::-1]).save(file, "JPEG", quality=92, exif=exif)
    event = read(file.getvalue(), Kit(reagent="A.1"))
    assert (event.reagent, event.reaction_seconds, event.kit_lot) == ("A.5", 75, "K-7")
    assert event.discard_date == date(2099, 3, 31)
    assert event.verdict == "consistent"


@pytest.mark.parametrize(
    "text", ["holiday", "{", '{"step": 99}', '{"seconds": "soon"}', "[1]", '{"lot": "' + "x" * 99 + '"}', "[" * 4000]
)
def test_a_description_that_says_nothing_changes_nothing(text: str) -> None:
    exif = Image.Exif()
    exif[270] = text
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=exif)
    assert with_side_data(MARQUIS, file.getvalue()) == MARQUIS


def test_steps_are_joined_and_only_all_of_them_are_conclusive() -> None:
    memory, pink = Memory(), (70.0, 25.0, 5.0)
    verdicts = [
        read(jpeg(picture(colour)), Kit(reagent="scott", seconds=80, test="t", step=step), memory)
        for step, colour in ((1, COCAINE), (2, pink), (3, COCAINE))
    ]
    assert [event.verdict for event in verdicts] == ["inconclusive", "inconclusive", "consistent"]
    assert "steps_missing" in verdicts[0].findings
    assert [step.name for step in verdicts[2].steps if step.colour] == [step.name for step in verdicts[2].steps]
    assert "Cocaine HCl" in verdicts[2].consistent_with
    assert len(verdicts[2].consistent_with) > 1


@pytest.fixture(scope="module")
def film() -> bytes:
    """Heroin with Marquis: orange at once, then purplish red."""
    return reaction_film(np.random.default_rng(0), every=6, drop=24, seconds=174, width=640, height=480)


@pytest.mark.slow
def test_a_film_is_judged_by_its_final_colour(film: bytes) -> None:
    event = read(film, Kit(reagent="A.5"))
    assert event.verdict == "consistent"
    assert "Diacetylmorphine HCl" in event.consistent_with
    assert event.reaction_seconds is not None
    assert 60 <= event.reaction_seconds <= 120
    assert len(event.series) > 20
    assert event.series[0].colour[0] > 85


@pytest.mark.slow
def test_a_reaction_before_the_camera_is_one_event(
    film: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "film.avi"
    path.write_bytes(film)
    seen = []
    with pytest.raises(DriverError, match="no pictures any more"):
        seen.extend(each for each in driver(tmp_path, camera=str(path), reagent="A.5").observe() if each is not None)
    (observation,) = seen
    assert isinstance(observation.data, ColourTestRead)
    assert "Diacetylmorphine HCl" in observation.data.consistent_with
    assert observation.data.series
    assert observation.evidence[0].media_type == "image/jpeg"


def test_a_film_that_ends_too_early_is_inconclusive() -> None:
    short = reaction_film(np.random.default_rng(0), every=6, drop=24, seconds=48, width=640, height=480)
    event = read(short, Kit(reagent="A.5"))
    assert event.verdict == "inconclusive"
    assert "too_early" in event.findings


def test_a_film_without_a_card_says_so() -> None:
    film = Film(None)
    assert not film.look(np.zeros((300, 400, 3), np.uint8), 0.0)
    event = film.content(MARQUIS, Memory()).data
    assert isinstance(event, ColourTestRead)
    assert event.findings == ["no_card"]


def test_a_measured_print_is_used(inbox: Path) -> None:
    measured = calibration.Calibration(by="t", fixture="card 1", values=to_values(nominal_labs()))
    calibration.save(calibration.path("colourtest"), measured)
    (inbox / "test.jpg").write_bytes(jpeg(picture()))
    event = only(driver(inbox, reagent="A.5")).data
    assert isinstance(event, ColourTestRead)
    assert event.card is not None
    assert event.card.measured
    assert "the card is measured" in driver(inbox).probe()


def test_a_damaged_calibration_is_named(inbox: Path) -> None:
    calibration.save(calibration.path("colourtest"), calibration.Calibration(by="t", fixture="x", values={"red": [1]}))
    with pytest.raises(DriverError, match="calibrate it anew"):
        driver(inbox).probe()


def test_a_truncated_picture_is_waited_for() -> None:
    with pytest.raises(RejectedError) as rejected:
        read_file(jpeg(picture())[:9000], MARQUIS, None, Memory())
    assert rejected.value.unfinished


def test_a_grey_picture_is_refused() -> None:
    grey = cv2.imencode(".png", cv2.cvtColor(picture(ORANGE), cv2.COLOR_BGR2GRAY))[1].tobytes()
    assert read(grey).findings == ["no_colour"]
