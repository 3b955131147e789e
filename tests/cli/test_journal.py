"""edge-agent journal, on a journal as an agent leaves it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from edge_agent.cli.journal import app
from edge_agent.daemon.journal import Entry, EvidenceItem, Journal

runner = CliRunner()
PICTURE = b"jpeg"
NAME = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    with Journal(path, create=True) as journal:
        plain = [Entry("blo/v1/kz/kordai/lane-1/trial/load", b'{"id":"%d","data":{}' % n) for n in range(1, 6)]
        picture = EvidenceItem(f"blo/v1/kz/kordai/lane-2/evidence/{NAME}", "image/jpeg", PICTURE)
        body = json.dumps({"id": "6", "evidence": [{"sha256": NAME}], "data": {"surname": "ERIKSSON"}})[:-1].encode()
        journal.append([*plain, Entry("blo/v1/kz/kordai/lane-2/passport/read", body, evidence=(picture,))])
        journal.settle(delivered_through=4, refused=[(2, "Not authorized")])
    return path


def call(path: Path, *arguments: str) -> Result:
    return runner.invoke(app, [*arguments, "--journal", str(path)])


def test_status(path: Path) -> None:
    said = json.loads(call(path, "status", "--json").stdout)
    assert (said["last_sequence"], said["delivered_through"], said["undelivered"], said["refused"]) == (6, 4, 3, 1)
    assert "Not authorized" in call(path, "status").output


def test_list_shows_what_the_broker_has_and_nothing_personal(path: Path) -> None:
    rows = [json.loads(line) for line in call(path, "list", "--json").stdout.splitlines()]
    assert [row["broker"] for row in rows] == ["has it", "refused", "has it", "has it", "-", "-"]
    assert (rows[-1]["device"], rows[-1]["event"]) == ("lane-2", "passport/read")
    (one,) = [json.loads(line) for line in call(path, "list", "--json", "--device", "lane-2").stdout.splitlines()]
    assert one["sequence"] == 6
    assert "ERIKSSON" not in call(path, "list").stdout


def test_show(path: Path) -> None:
    assert json.loads(call(path, "show", "6", "--json").stdout)["data"] == {"surname": "ERIKSSON"}
    missing = call(path, "show", "7")
    assert (missing.exit_code, "no event 7" in missing.output) == (1, True)


def test_replay_asks_the_agent(path: Path) -> None:
    assert "3 events" in call(path, "replay", "2", "4").stdout
    with Journal(path) as journal:
        assert [request[1:] for request in journal.replays()] == [(2, 4)]
    assert call(path, "replay", "70").exit_code == 1


def test_export_with_evidence(path: Path, tmp_path: Path) -> None:
    result = call(path, "export", "5", "--evidence", str(tmp_path / "pictures"))
    assert [json.loads(line)["id"] for line in result.stdout.splitlines() if line.startswith("{")] == ["5", "6"]
    assert (tmp_path / "pictures" / f"{NAME}.jpeg").read_bytes() == PICTURE


def test_what_is_wrong_is_said_in_a_sentence(path: Path, tmp_path: Path) -> None:
    assert "there is no journal yet" in call(tmp_path / "none.db", "status").output
    (tmp_path / "rubbish.db").write_bytes(b"rubbish" * 1000)
    damaged = call(tmp_path / "rubbish.db", "list")
    assert (damaged.exit_code, "damaged" in damaged.output) == (1, True)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"ERIKSSON", b"ERIKSSOM"))
    assert "not what was recorded" in call(path, "export").output
