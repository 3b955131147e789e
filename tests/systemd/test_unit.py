"""The files in ``systemd/``, held against systemd's own tools and against the daemon that they start."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_agent.config.models import AgentSettings
from edge_agent.daemon import agent, supervisor
from edge_agent.daemon.paths import journal_path, kernel_cache

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "edge-agent.service"
RULES = FOLDER / "70-edge-agent.rules"


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed; `make test` installs Debian's systemd")
    return found


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


@pytest.fixture
def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # documented way to keep capitals
    parser.read(UNIT)
    return parser["Service"]


def test_the_unit_is_as_closed_as_devices_network_and_numba_permit() -> None:
    done = run(tool("systemd-analyze"), "security", "--offline=true", "--threshold=17", UNIT)
    assert done.returncode == 0, done.stdout


def test_systemd_has_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    copy = tmp_path / UNIT.name  # the program and its manual are not installed on the machine that runs the tests
    text = UNIT.read_text().replace("/opt/edge-agent/bin/edge-agent", "/bin/true")
    copy.write_text(text.replace("/opt/edge-agent/README.md", "/dev/null"))
    done = run(analyze, "verify", "--man=no", copy)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_misspelt_unit_would_be_noticed(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    text = UNIT.read_text().replace("/opt/edge-agent/bin/edge-agent", "/bin/true")
    copy.write_text(text.replace("ProtectClock=", "ProtectClocks="))
    assert "ProtectClocks" in run(tool("systemd-analyze"), "verify", "--man=no", copy).stderr


def test_user_and_groups_are_made(tmp_path: Path) -> None:
    target = tmp_path / "etc/sysusers.d/edge-agent.conf"
    target.parent.mkdir(parents=True)
    shutil.copy(FOLDER / "edge-agent.sysusers.conf", target)
    done = run(tool("systemd-sysusers"), f"--root={tmp_path}", "edge-agent.conf")
    assert done.returncode == 0, done.stderr
    user = (tmp_path / "etc/passwd").read_text().strip().split(":")
    assert (user[0], user[5], user[6]) == ("edge-agent", "/var/lib/edge-agent", "/usr/sbin/nologin")
    groups = {line.split(":")[0]: line.split(":")[3] for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert groups["dialout"] == groups["video"] == "edge-agent"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give folders to another user")
def test_folders_are_made_for_the_user_and_for_nobody_else(tmp_path: Path) -> None:
    tmpfiles = tool("systemd-tmpfiles")
    (tmp_path / "etc/tmpfiles.d").mkdir(parents=True)
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nedge-agent:x:977:977::/:/bin/false\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nedge-agent:x:977:\n")
    shutil.copy(FOLDER / "edge-agent.tmpfiles.conf", tmp_path / "etc/tmpfiles.d/edge-agent.conf")
    done = run(tmpfiles, f"--root={tmp_path}", "--create", "edge-agent.conf")
    assert (done.returncode, done.stderr) == (0, "")
    modes = {
        name: (path.stat().st_mode & 0o7777, path.stat().st_uid)
        for name in ("var/lib/edge-agent", "var/cache/edge-agent", "srv/edge-agent/inbox", "etc/credstore")
        if (path := tmp_path / name)
    }
    assert modes == {
        "var/lib/edge-agent": (0o700, 977),
        "var/cache/edge-agent": (0o700, 977),
        "srv/edge-agent/inbox": (0o2770, 977),
        "etc/credstore": (0o700, 0),
    }


_TERM = re.compile(r'([A-Z]+(?:_[A-Z]+)*)(\{[^}]+\})?(==|!=|\+=|:=|=)"([^"]*)"')
_MATCH = {"ACTION", "SUBSYSTEM", "SUBSYSTEMS", "KERNEL", "KERNELS", "DRIVERS", "ATTR", "ATTRS", "ENV", "TEST"}
_ASSIGN = {"GROUP", "MODE", "ENV", "SYMLINK", "GOTO", "LABEL"}


def test_the_device_rules_are_rules_also_where_they_are_commented_out() -> None:
    """udev 252 cannot verify a file of rules (`udevadm verify` came with 254), so this is by its manual, udev(7)."""
    rules = [line.removeprefix("#") for line in RULES.read_text().splitlines() if re.match(r"#?[A-Z]+[={]", line)]
    assert len(rules) > 5
    for rule in rules:
        for term in re.split(r",\s*", rule):
            found = _TERM.fullmatch(term)
            assert found is not None, f"not a term of a rule: {term}"
            key, _, operator, _ = found.groups()
            assert key in (_MATCH if operator in {"==", "!="} else _ASSIGN), term
    labels = {label for rule in rules for label in re.findall(r'LABEL="(\w+)"', rule)}
    assert {label for rule in rules for label in re.findall(r'GOTO="(\w+)"', rule)} <= labels


def test_the_watchdog_of_the_unit_is_slower_than_what_the_agent_calls_a_stall(
    service: configparser.SectionProxy,
) -> None:
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert float(service["WatchdogSec"]) > agent.STALLED_SECONDS


def test_systemd_waits_longer_for_the_end_than_the_agent_takes(service: configparser.SectionProxy) -> None:
    threads = 10.0 + 5.0  # Agent._stop waits so long for the intake and for the publisher
    assert float(service["TimeoutStopSec"]) > supervisor.GRACE_SECONDS + threads
    assert service["KillMode"] == "mixed"


def test_a_killed_device_does_not_end_the_agent_and_the_agent_always_comes_back(
    service: configparser.SectionProxy,
) -> None:
    assert service["OOMPolicy"] == "continue"
    assert service["Restart"] == "always"
    assert "StartLimitIntervalSec=0\n" in UNIT.read_text()


def test_the_folders_of_the_unit_are_those_of_the_agent(
    service: configparser.SectionProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = AgentSettings.model_validate({"post": {"country": "kz", "bcp": "kordai"}, "broker": {"host": "b"}})
    monkeypatch.setenv("CACHE_DIRECTORY", f"/var/cache/{service['CacheDirectory']}")
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    by_hand = journal_path(settings)  # as the command line finds it, which systemd does not start
    monkeypatch.setenv("STATE_DIRECTORY", f"/var/lib/{service['StateDirectory']}")
    assert journal_path(settings) == by_hand
    assert kernel_cache().parent == Path("/var/cache/edge-agent")
    assert "MemoryDenyWriteExecute" not in service, "numba writes machine code and runs it"


@pytest.mark.parametrize("edited", [False, True])
def test_installing_again_keeps_what_the_technician_wrote(tmp_path: Path, edited: bool) -> None:
    script = tmp_path / "tree/systemd"
    shutil.copytree(FOLDER, script)
    (tmp_path / "tree/config/devices").mkdir(parents=True)
    (tmp_path / "tree/config/agent.toml").write_text("# example\n")
    (tmp_path / "tree/config/devices/lane.toml").write_text("# example\n")
    root = tmp_path / "root"
    assert run(script / "install", DESTDIR=str(root)).returncode == 0
    installed, rules = root / "etc/edge-agent/agent.toml", root / "etc/udev/rules.d/70-edge-agent.rules"
    assert installed.read_text() == "# example\n"
    assert not list((root / "etc/edge-agent/devices").iterdir()), "no device is switched on by itself"
    assert (root / "etc/edge-agent/examples/devices/lane.toml").exists()
    if edited:
        installed.write_text("# mine\n")
        rules.write_text("# mine\n")
    (tmp_path / "tree/config/agent.toml").write_text("# newer example\n")
    done = run(script / "install", DESTDIR=str(root))
    assert done.returncode == 0, done.stderr
    assert installed.read_text() == ("# mine\n" if edited else "# example\n")
    assert (root / "etc/edge-agent/examples/agent.toml").read_text() == "# newer example\n"
    assert ("kept your /etc/udev/rules.d/70-edge-agent.rules" in done.stdout) is edited
    assert rules.read_text() == ("# mine\n" if edited else RULES.read_text())


def test_the_install_script_explains_itself_and_refuses_what_it_does_not_know() -> None:
    assert "--find-links" in run(FOLDER / "install", "--help").stdout
    done = run(FOLDER / "install", "--force", DESTDIR="/nowhere")
    assert done.returncode == 1
    assert "--force" in done.stderr
