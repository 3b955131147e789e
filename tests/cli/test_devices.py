from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from edge_agent.cli import app
from edge_agent.cli.discovering import video_devices
from edge_agent.cli.starter import starter
from edge_agent.registry import find, kinds
from edge_agent.simulate.camera import Camera
from tests.config.folder import Folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in arguments])


def found(result: Result, port: int) -> dict[str, Any]:
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    (candidate,) = [line for line in lines if line["where"] == f"127.0.0.1:{port}"]
    return {**candidate, "facts": dict(candidate["facts"])}


def discover(*arguments: str | Path) -> Result:
    return run("devices", "--discover", "--interface", "lo", "--seconds", "0.5", *arguments)


def test_a_camera_without_an_account_tells_all_and_a_file_to_start_from_is_written(tmp_path: Path) -> None:
    post = Folder(tmp_path / "config")
    with Camera(discoverable=True, skew=timedelta(seconds=90)) as camera:
        result = discover("--json", "--write", post.path / "devices")
        told = found(result, camera.port)
    assert result.exit_code == 0
    assert told["what"] == "edge-agent Simulated camera"
    assert told["facts"]["firmware"] == "1.0"
    assert told["facts"]["clock"] in {"89 s ahead", "90 s ahead"}
    assert told["facts"]["presets"] == "gate, queue"
    assert told["facts"]["profile main"] == "1280 x 720 H264, 15 frames/s rtsp://127.0.0.1:554/main"
    path = post.path / "devices" / f"{told['name']}.toml"
    assert post.said() == []
    settings = tomllib.loads(path.read_text())["settings"]
    assert settings == {
        "host": "127.0.0.1",
        "port": camera.port,
        "endpoint": camera.endpoint,
        "interface": "127.0.0.1",
    }
    assert "# password =" in path.read_text()
    before = path.read_bytes()
    with Camera(discoverable=True, port=camera.port):
        assert "stays as it is" in discover("--write", post.path / "devices").stderr
    assert path.read_bytes() == before


def test_a_camera_that_wants_an_account_is_asked_with_none(tmp_path: Path) -> None:
    with Camera(user="admin", password="s3cret", discoverable=True) as camera:
        told = found(discover("--json"), camera.port)
        assert told["what"] == "Simulated camera none"
        assert "wants an account" in told["facts"]["withheld"]
        (tmp_path / "password").write_text("s3cret\n")
        one = ("devices", "--host", f"127.0.0.1:{camera.port}", "--user", "admin")
        told = found(run(*one, "--password-file", tmp_path / "password", "--json"), camera.port)
        assert told["what"] == "edge-agent Simulated camera"
        assert run(*one).exit_code == 2


def test_a_wrong_interface_is_told_with_those_that_there_are() -> None:
    result = run("devices", "--discover", "--interface", "lan9")
    assert result.exit_code == 2
    assert "there are:" in result.stderr
    assert "lo (127.0.0.1)" in result.stderr
    assert run("devices").exit_code == 2


@pytest.mark.parametrize("kind", sorted(kind for kind in kinds() if "." in kind and not kind.startswith("test.")))
def test_a_file_to_start_from_is_toml_and_shows_every_setting(kind: str) -> None:
    text = starter("lane-1", (kind, "other.kind"), {}, ["Found somewhere."])
    assert tomllib.loads(text)["driver"] == kind
    for field in find(kind).Settings.model_fields:
        assert f"# {field} =" in text or f"settings.{field}]" in text


def test_video_devices_that_are_none_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "null").mkdir()
    assert list(video_devices(("passport.camera",), tmp_path, tmp_path / "by-id")) == []


# -- presets ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def post(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "config")


def configured(post: Folder, camera: Camera, more: str = "") -> None:
    post.secret("gate-camera", "s3cret\n")
    post.device(
        "gate.toml",
        f'name = "gate"\ndriver = "cctv.onvif"\n[settings]\nhost = "127.0.0.1"\nport = {camera.port}\nuser = "admin"\n'
        f'password = "gate-camera"\ntimeout = 1\n{more}',
    )


def test_a_camera_turns_to_a_preset_and_back_home(post: Folder) -> None:
    with Camera(user="admin", password="s3cret", home=(0.1, 0.2, 0.3)) as camera:
        configured(post, camera)
        gate = ("camera", "gate", "goto")
        assert run(*gate, "queue", "--config", post.path).exit_code == 0
        assert camera.position == camera.presets["2"][1]
        shown = run("camera", "gate", "presets", "--config", post.path)
        assert [line.split()[0] for line in shown.stdout.splitlines() if "looks here" in line] == ["queue"]
        assert run(*gate, "gate", "--back-after", "0.1", "--config", post.path).exit_code == 0
        assert camera.calls[-1] == "GotoHomePosition"
        assert camera.position == camera.home
        configured(post, camera, 'home = "queue"\n')
        assert run(*gate, "home", "--config", post.path).exit_code == 0
        assert camera.position == camera.presets["2"][1]
        result = run(*gate, "roof", "--config", post.path)
        assert (result.exit_code, "it has gate, queue" in result.stderr) == (1, True)
    assert run(*gate, "queue", "--config", post.path).exit_code == 3
    assert run("camera", "gate", "goto", "--config", post.path).exit_code == 2
    assert run("camera", "other", "presets", "--config", post.path).exit_code == 2


def test_probe_says_what_the_camera_is(post: Folder) -> None:
    from edge_agent.config.loader import load
    from edge_agent.config.secrets import Secrets
    from edge_agent.registry import make

    with Camera(user="admin", password="s3cret", skew=timedelta(minutes=10)) as camera:
        configured(post, camera, 'home = "GATE"\n')
        (device,) = load(post.path).devices
        said = make(device.name, device.driver, device.settings, Secrets(post.path).text).probe()
    assert said.startswith(
        "edge-agent Simulated camera, firmware 1.0; profiles 1280 x 720, 640 x 360; events; home gate"
    )
    assert "ahead" in said
