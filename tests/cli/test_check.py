from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from tests.brokers import Mosquitto, free_port
from tests.config.folder import AGENT, DEVICE, Folder

PLUGIN = Path(__file__).parent / "plugin"


@pytest.fixture
def post(tmp_path: Path) -> Folder:
    """A configuration whose state directory is there."""
    (tmp_path / "state").mkdir()
    folder = Folder(tmp_path / "config")
    folder.agent(agent(folder, 1883))
    return folder


def agent(folder: Folder, port: int, lines: str = "") -> str:
    return f'state_directory = "{folder.path.parent}/state"\n{AGENT}port = {port}\ntimeout = 2\n{lines}'


def check(folder: Folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_agent", "check", "--config", str(folder.path), *arguments]
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PLUGIN), "HOME": str(folder.path.parent), "COLUMNS": "400"}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=env)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_sound_configuration_ends_with_0(post: Folder) -> None:
    post.device("a.toml", DEVICE)
    done = check(post)
    assert (done.returncode, done.stdout, done.stderr) == (0, "no mistakes: kz/kordai, 1 device, 1 enabled\n", "")


def test_mistakes_are_all_shown_with_their_lines_and_end_with_1(post: Folder) -> None:
    post.agent(agent(post, 70_000))
    post.device("a.toml", 'name = lane-1\ndriver = "trial.laod"\n')
    post.device("b.txt", "")
    done = check(post)
    assert done.returncode == 1
    assert done.stdout.replace(f"{post.path}/", "") == (
        "agent.toml:7:8: broker.port: 70000 is too large; allowed: a whole number from 1 to 65535 (default 1883)\n"
        "     7 | port = 70000\n"
        "       |        ^^^^^\n"
        "devices/a.toml:1:8: name: lane-1 is not a value; allowed: text in double quotes, a number, true, false, or a "
        'list in [ ]; did you mean "lane-1"?\n'
        "     1 | name = lane-1\n"
        "       |        ^^^^^^\n"
        'devices/a.toml:2:10: driver: there is no driver "trial.laod"; allowed: '
        + ALLOWED
        + '; did you mean "trial.load"?\n'
        '     2 | driver = "trial.laod"\n'
        "       |          ^^^^^^^^^^^^\n"
        "note: devices/b.txt: is not read: only files whose name ends in .toml are\n"
        "3 mistakes in 2 files\n"
    )


def kinds() -> list[str]:
    from edge_agent.registry import kinds

    return sorted({*kinds(), "test.crash", "test.gone", "test.hang", "test.locked", "test.odd", "test.well"})


ALLOWED = " or ".join(f'"{kind}"' for kind in kinds()).replace(" or ", ", ", len(kinds()) - 2)


def test_json_is_one_object_a_line(post: Folder) -> None:
    post.agent(agent(post, 70_000))
    (mistake,) = lines(check(post, "--json"))
    assert mistake == {
        "kind": "mistake",
        "file": f"{post.path}/agent.toml",
        "line": 7,
        "column": 8,
        "key": "broker.port",
        "wrong": "70000 is too large",
        "allowed": "a whole number from 1 to 65535 (default 1883)",
        "suggestion": "",
        "source": "port = 70000",
        "width": 5,
    }
    post.agent(agent(post, 1883))
    (note,) = lines(check(post, "--json"))
    assert (note["kind"], note["line"], note["wrong"]) == ("note", 0, "there are no devices: nothing will be observed")


def test_a_folder_that_is_not_there_ends_with_1_and_a_wrong_argument_with_2(tmp_path: Path, post: Folder) -> None:
    post.path = tmp_path / "nowhere"
    done = check(post)
    assert (done.returncode, done.stderr) == (1, "")
    assert "nowhere/agent.toml: is not there; allowed: a folder with agent.toml and devices/" in done.stdout
    assert check(post, "--colour").returncode == 2


def probe(folder: Folder, *arguments: str) -> tuple[int, dict[str, tuple[bool | None, str]]]:
    done = check(folder, "--probe", "--json", "--timeout", "3", *arguments)
    found = [line for line in lines(done) if line["kind"] == "probe"]
    return done.returncode, {line["name"]: (line["reachable"], line["result"]) for line in found}


def test_probe_contacts_the_broker_and_every_enabled_device(post: Folder, embedded_broker: EmbeddedBroker) -> None:
    post.agent(agent(post, embedded_broker.port))
    post.device("well.toml", 'name = "well"\ndriver = "test.well"\n')
    post.device("off.toml", 'name = "off"\ndriver = "test.hang"\nenabled = false\n')
    code, found = probe(post)
    assert code == 0
    assert found["broker"][1].startswith("accepts this post with MQTT 5, in ")
    assert found["well"] == (True, f"a scale, seen from {post.path.parent}/state")
    assert found["off"] == (None, "not enabled")


@pytest.mark.e2e
def test_a_device_that_hangs_crashes_or_raises_is_told_and_the_others_answer(post: Folder) -> None:
    post.agent(agent(post, free_port()))
    for kind in ("hang", "crash", "gone", "odd", "well"):
        post.device(f"{kind}.toml", f'name = "{kind}"\ndriver = "test.{kind}"\n')
    code, found = probe(post)
    assert code == 3
    assert found["broker"][0] is False
    assert found["broker"][1].startswith("Nothing listens on 127.0.0.1:")
    assert found["hang"] == (False, "does not answer within 3 s")
    assert found["crash"] == (False, "the driver crashed (SIGSEGV): tell whoever made it")
    assert found["gone"] == (False, "No such file or directory: /dev/ttyUSB9")
    assert found["odd"][1].startswith("ValueError at plugin_drivers.py:")
    assert found["well"][0] is True


def test_a_driver_gets_the_secret_that_its_file_names(post: Folder, embedded_broker: EmbeddedBroker) -> None:
    post.agent(agent(post, embedded_broker.port))
    post.device("locked.toml", 'name = "locked"\ndriver = "test.locked"\n[settings]\npassword = "gate"\n')
    assert "devices/locked.toml:4:12: settings.password: the secret gate is missing" in check(post).stdout
    post.secret("gate", "open sesame\n")
    code, found = probe(post)
    assert (code, found["locked"]) == (0, (True, hashlib.sha256(b"open sesame").hexdigest()))


def test_probe_shows_a_table(post: Folder, embedded_broker: EmbeddedBroker) -> None:
    post.agent(agent(post, embedded_broker.port))
    post.device("gone.toml", 'name = "gone"\ndriver = "test.gone"\n')
    done = check(post, "--probe")
    assert done.returncode == 3
    rows = [line.split(None, 3) for line in done.stdout.splitlines()[1:]]
    assert rows[0] == ["device", "driver", "result"]
    assert rows[1][:3] == ["ok", "broker", f"127.0.0.1:{embedded_broker.port}"]
    assert [cell.strip() for cell in rows[2]] == ["no", "gone", "test.gone", "No such file or directory: /dev/ttyUSB9"]


def test_probe_says_that_the_state_directory_is_not_there(post: Folder, embedded_broker: EmbeddedBroker) -> None:
    post.agent(agent(post, embedded_broker.port))
    post.device("well.toml", 'name = "well"\ndriver = "test.well"\n')
    (post.path.parent / "state").rmdir()
    code, found = probe(post)
    assert code == 3
    assert found["broker"][0] is True
    assert found["well"][1].endswith("/state is not there yet: start the agent once, or make it.")


def test_nothing_is_contacted_while_there_are_mistakes(post: Folder) -> None:
    post.agent(agent(post, 0))
    assert probe(post) == (1, {})


@pytest.mark.e2e
def test_probe_says_that_the_password_is_wrong(post: Folder, tmp_path: Path) -> None:
    post.secret("broker-password", "wrong")
    with Mosquitto(tmp_path / "mosquitto", users={"post": "right"}) as broker:
        post.agent(agent(post, broker.port, 'username = "post"\npassword = "broker-password"\n'))
        code, found = probe(post)
        assert code == 3
        assert "look at username" in found["broker"][1]
        post.secret("broker-password", "right")
        code, found = probe(post)
        assert (code, found["broker"][0]) == (0, True)
