"""The folder of a scanner: scans are collected from their files, analysed, and their files end somewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers import folder as folder_module
from drivers.xray.dicos import image, report
from drivers.xray.folder import XrayFolder
from drivers.xray.sets import MOVING_NOTE
from edge_agent.driver import DriverError
from edge_agent.events.device import InputRejected
from edge_agent.events.xray import XrayReport, XrayScan
from edge_agent.processing.xray.scan import Channel, Scan
from tests.drivers.xray.scans import CHANNELS, DATA, driver, next_of, only, pair, scan
from tests.drivers.xray.test_formats import whole


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.005)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "inbox"
    path.mkdir()
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def pair_of_files(inbox: Path, made: Scan, study: str = "1.2.3", prefix: str = "") -> None:
    for channel in CHANNELS:
        (inbox / f"{prefix}{channel}.dcs").write_bytes(image.write(made, channel, study=study))


def test_two_files_of_one_study_are_one_scan_with_its_view_and_originals(inbox: Path) -> None:
    pair_of_files(inbox, scan())
    originals = {path.read_bytes() for path in inbox.iterdir() if path.is_file()}
    observation = only(driver(inbox))
    data = observation.data
    assert isinstance(data, XrayScan)
    assert data.channels == ["low", "high"]
    assert (data.missing, data.rows, data.columns, data.pitch_mm) == ([], 90, 120, [0.8, 0.8])
    assert data.analysed
    assert data.calibrated is None
    view, *others = observation.evidence
    assert view.role == "view-composite"
    assert view.thumbnail is not None
    assert cv2.imdecode(np.frombuffer(view.thumbnail(), np.uint8), cv2.IMREAD_COLOR) is not None
    assert {evidence.role for evidence in others} == {"low", "high"}
    assert {evidence.data for evidence in others} == originals
    assert names(inbox / "processed") == ["high.dcs", "low.dcs"]
    assert "123 ABC" not in data.model_dump_json()


def test_half_a_pair_is_waited_for_and_then_taken_alone(inbox: Path) -> None:
    (inbox / "low.dcs").write_bytes(image.write(scan(), Channel.LOW, study="1.2.3"))
    observations = iter(driver(inbox, patience_seconds=0.3).observe())
    assert next(observations) is None
    data = next_of(observations).data
    assert isinstance(data, XrayScan)
    assert (data.channels, data.missing) == (["low"], ["high"])
    assert any("One energy only" in remark for remark in data.remarks)


def test_a_file_that_is_still_being_written_is_waited_for(inbox: Path) -> None:
    pair_of_files(inbox, scan())
    whole_file = (inbox / "high.dcs").read_bytes()
    (inbox / "high.dcs").write_bytes(whole_file[: len(whole_file) // 2])
    observations = iter(driver(inbox, patience_seconds=20).observe())
    assert all(next(observations) is None for _ in range(20))
    (inbox / "high.dcs").write_bytes(whole_file)
    data = next_of(observations).data
    assert isinstance(data, XrayScan)
    assert data.channels == ["low", "high"]


def test_scans_of_other_studies_are_not_mixed_and_the_same_energy_twice_is_two_scans(inbox: Path) -> None:
    for study in ("1.2.3", "1.2.4"):
        pair_of_files(inbox, scan(), study, study)
    shutil.copy(inbox / "1.2.3low.dcs", inbox / "again.dcs")
    observations = iter(driver(inbox).observe())
    found = [next_of(observations).data for _ in range(3)]
    assert sorted(len(data.channels) for data in found if isinstance(data, XrayScan)) == [1, 2, 2]


def test_a_folder_for_each_scan_is_emptied_and_removed(inbox: Path) -> None:
    (inbox / "s1").mkdir()
    for name, data in whole().items():
        (inbox / "s1" / name).write_bytes(data)
    data = only(driver(inbox, layout="fs6000")).data
    assert isinstance(data, XrayScan)
    assert data.channels == ["low", "high", "material", "picture"]
    assert names(inbox) == ["failed", "processed"]
    assert names(inbox / "processed") == [f"s1 {name}" for name in sorted(whole())]


def test_exchanged_channels_are_put_right_and_said(inbox: Path) -> None:
    low, high = pair()
    pair_of_files(inbox, Scan(low=high, high=low))
    data = only(driver(inbox)).data
    assert isinstance(data, XrayScan)
    assert any("swapped" in remark for remark in data.remarks)


def test_a_vendors_picture_becomes_an_event_without_any_analysis(inbox: Path) -> None:
    picture = cv2.imencode(".jpg", np.full((40, 60, 3), 200, np.uint8))[1].tobytes()
    (inbox / "bag.jpg").write_bytes(picture)
    observation = only(driver(inbox, layout="picture"))
    assert isinstance(observation.data, XrayScan)
    assert not observation.data.analysed
    assert observation.data.classes == []
    assert observation.evidence[0].data == picture


@pytest.mark.skipif(not DATA.exists(), reason="the real files are not here")
def test_a_report_from_another_machine_becomes_an_event_of_its_own(inbox: Path) -> None:
    shutil.copy(DATA / "tdr.dcs", inbox)
    data = only(driver(inbox)).data
    assert isinstance(data, XrayReport)
    assert (data.made_by, data.alarm, data.assessed[0].category) == ("machine", True, "CONTRABAND")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("text.dcs", b"Dear officer, the scanner is broken." * 10, "not-dicos"),
        ("empty.dcs", b"", "empty-file"),
        ("cut.dcs", image.write(scan(), Channel.HIGH)[:9000], "truncated-dicos"),
        ("zero.dcs", image.write(Scan(single=np.zeros((20, 20), np.uint16)), Channel.SINGLE), "all-zero"),
    ],
)
def test_bad_input_ends_in_quarantine_with_its_reason(inbox: Path, name: str, content: bytes, reason: str) -> None:
    (inbox / name).write_bytes(content)
    data = only(driver(inbox)).data
    assert isinstance(data, InputRejected)
    assert data.reason == reason
    assert (inbox / "failed" / name).read_bytes() == content
    assert (inbox / "failed" / f"{name}.reason.txt").exists()
    assert name not in data.model_dump_json()


def test_a_file_of_no_scan_is_set_aside(inbox: Path) -> None:
    (inbox / "notes.txt").write_text("hello")
    data = only(driver(inbox, layout="fs6000")).data
    assert isinstance(data, InputRejected)
    assert data.reason == "unknown-file"


def test_all_files_of_a_bad_scan_go_to_failed(inbox: Path) -> None:
    files = whole() | {"s1low.img": whole()["s1low.img"][:-1]}
    (inbox / "s1").mkdir()
    for name, data in files.items():
        (inbox / "s1" / name).write_bytes(data)
    rejected = only(driver(inbox, layout="fs6000")).data
    assert isinstance(rejected, InputRejected)
    assert rejected.size == sum(map(len, files.values()))
    assert len([name for name in names(inbox / "failed") if not name.endswith(".reason.txt")]) == len(files)


def test_a_move_that_a_power_failure_cut_short_is_finished_first(inbox: Path) -> None:
    pair_of_files(inbox, scan())
    made = driver(inbox)
    observation = next(o for o in made.observe() if o is not None)
    assert observation.acknowledge is not None
    (inbox / MOVING_NOTE).write_bytes(b"\n".join([b"processed", b"low.dcs".hex().encode(), b"high.dcs".hex().encode()]))
    (inbox / "low.dcs").rename(inbox / "processed" / "low.dcs")
    assert next(iter(driver(inbox).observe())) is None
    assert names(inbox / "processed") == ["high.dcs", "low.dcs"]


def test_the_same_scan_offered_again_has_the_same_key(inbox: Path) -> None:
    pair_of_files(inbox, scan())
    first = next(o for o in driver(inbox).observe() if o is not None)
    again = next(o for o in driver(inbox).observe() if o is not None)
    assert first.key == again.key


def test_our_proposals_are_laid_down_for_a_station_once_the_event_is_durable(inbox: Path) -> None:
    low, high = (counts.copy() for counts in pair())
    low[40:80, 40:80], high[40:80, 40:80] = 3, 2  # something that nothing shines through
    pair_of_files(inbox, Scan(low=low, high=high, pitch_mm=(1.0, 1.0)))
    made = driver(inbox, reports=str(inbox / "out"), layout="dicos")
    observation = next(o for o in made.observe() if o is not None)
    assert not (inbox / "out").exists()
    assert observation.acknowledge is not None
    observation.acknowledge()
    observation.acknowledge()
    (path,) = (inbox / "out").iterdir()
    assert isinstance(observation.data, XrayScan)
    found = report.read(path.read_bytes())
    assert found.alarm
    assert len(found.findings) == len(observation.data.proposals) > 0
    assert found.findings[0].ability == "SHIELD"
    assert len(found.images) == 2


@pytest.mark.parametrize("settings", [{"layout": "unknown"}, {"views": ["rose"]}, {"test_piece": "none"}])
def test_a_setting_that_names_nothing_is_said(inbox: Path, settings: dict[str, object]) -> None:
    with pytest.raises(DriverError):
        next(iter(driver(inbox, **settings).observe()))


def test_the_driver_is_known_by_its_kind() -> None:
    assert XrayFolder.kind == "xray.folder"
