from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ByteSize, ConfigDict, Field, FilePath, field_validator

from edge_agent import registry
from edge_agent.config.files import MAX_BYTES
from edge_agent.config.loader import ConfigError, load
from edge_agent.driver import Driver, DriverSettings
from tests.brokers import Authority
from tests.config.folder import AGENT, DEVICE, Folder


class Shape(StrEnum):
    BOX = "box"
    LINE = "line"


class Region(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    shape: Shape = Shape.BOX
    points: list[tuple[float, float]] = Field(min_length=3, max_length=5)


class Lamp(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    level: int = Field(default=3, ge=0, le=9, multiple_of=3)
    colours: tuple[int, int, int] = (1, 2, 3)


class RichSettings(DriverSettings):
    """What later families need: tables in tables, lists of tables, polygons, ranges."""

    regions: tuple[Region, ...] = ()
    lamp: Lamp = Lamp()
    port: int | str = 1
    table: FilePath | None = None
    folder: Path = Path("inbox")
    serial: str = Field(default="ab", pattern="^[a-f]+$")
    weight: ByteSize = ByteSize(1024)
    note: str = ""
    limits: dict[str, float] = Field(default={})
    camera_password: str | None = Field(default=None, json_schema_extra={"secret": True})

    @field_validator("folder")
    @classmethod
    def _no_root(cls, folder: Path) -> Path:
        if folder == Path("/"):
            raise ValueError("the folder of everything cannot be watched")
        return folder


class Rich(Driver[RichSettings]):
    kind = "test.rich"
    Settings = RichSettings

    def observe(self):  # type: ignore[no-untyped-def]  # never called
        raise NotImplementedError


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rich driver, and one whose module is missing."""
    here = {
        "test.rich": EntryPoint("test.rich", f"{__name__}:Rich", registry.GROUP),
        "test.torn": EntryPoint("test.torn", "no_such_module:Torn", registry.GROUP),
        "trial.load": EntryPoint("trial.load", "drivers.trial.load:Load", registry.GROUP),
    }
    for place in ("edge_agent.registry.kinds", "edge_agent.config.loader.kinds"):
        monkeypatch.setattr(place, lambda: here)


RICH = 'name = "lane-1"\ndriver = "test.rich"\n[settings]\n'


def test_a_sound_configuration_loads_typed(folder: Folder) -> None:
    folder.device("b.toml", 'name = "two"\ndriver = "trial.load"\nenabled = false\nmemory = "1.5 GiB"\n')
    folder.device("a.toml", f"{DEVICE}[settings]\nrate = 2\n")
    config = load(folder.path)
    assert config.agent.post.bcp == "kordai"
    assert [(device.name, device.enabled) for device in config.devices] == [("lane-1", True), ("two", False)]
    assert config.devices[0].settings.model_dump()["rate"] == 2.0
    assert config.devices[1].memory == 1.5 * 1024**3


def test_the_hash_changes_with_every_file(folder: Folder) -> None:
    folder.device("a.toml", DEVICE)
    seen = {load(folder.path).sha256}
    for change in (
        lambda: folder.agent(AGENT + "# \n"),
        lambda: folder.device("a.toml", DEVICE + "# \n"),
        lambda: (folder.path / "devices/a.toml").rename(folder.path / "devices/b.toml"),
        lambda: folder.device("c.toml", DEVICE.replace("lane-1", "lane-2")),
    ):
        before = load(folder.path).sha256
        change()
        after = load(folder.path).sha256
        assert after == load(folder.path).sha256 != before
        seen.add(after)
    assert len(seen) == 5


AGENT_MISTAKES = [
    (
        'state_dir = "/x"\n' + AGENT,
        "agent.toml:1:1: state_dir: is not known; allowed: state_directory, post, broker, journal, metrics or log; "
        "did you mean state_directory?",
    ),
    (
        "port = 1883\n" + AGENT,
        "agent.toml:1:1: port: is not known; allowed: state_directory, post, broker, journal, metrics or log; "
        "did you mean broker.port?",
    ),
    (
        AGENT + 'protocl = "5"\n',
        "agent.toml:6:1: broker.protocl: is not known in [broker]; allowed: host, port, protocol, client_id, username, "
        "password, keepalive, timeout or tls; did you mean protocol?",
    ),
    (
        AGENT.replace('bcp = "kordai"\n', ""),
        "agent.toml:1:2: post.bcp: is missing; allowed: lower-case letters, digits and single hyphens, at most 40 "
        "characters",
    ),
    (
        AGENT.split("[broker]", maxsplit=1)[0],
        "agent.toml:1:1: broker: is missing; allowed: a table with the keys host, port, protocol, client_id, username, "
        "password, keepalive, timeout, tls",
    ),
    (
        AGENT.replace('"kz"', '"KZ"'),
        'agent.toml:2:11: post.country: "KZ" does not have the right form; allowed: two lower-case letters; '
        'did you mean "kz"?',
    ),
    (AGENT.replace('"127.0.0.1"', '""'), "agent.toml:5:8: broker.host: is empty; allowed: text that is not empty"),
    (
        AGENT + "port = 70000\n",
        "agent.toml:6:8: broker.port: 70000 is too large; allowed: a whole number from 1 to 65535 (default 1883)",
    ),
    (
        AGENT + 'port = "1883"\n',
        'agent.toml:6:8: broker.port: is the text "1883"; allowed: a whole number from 1 to 65535 (default 1883); '
        "did you mean 1883?",
    ),
    (
        AGENT + "port = true\n",
        "agent.toml:6:8: broker.port: is true; allowed: a whole number from 1 to 65535 (default 1883)",
    ),
    (
        AGENT + "timeout = 20.0\n",
        "agent.toml:6:11: broker.timeout: is the number 20.0; allowed: a whole number from 1 to 120 (default 20); "
        "did you mean 20?",
    ),
    (
        AGENT + "protocol = 5\n",
        'agent.toml:6:12: broker.protocol: is the whole number 5; allowed: "auto", "5" or "3.1.1" (default "auto"); '
        'did you mean "5"?',
    ),
    (
        AGENT + '[log]\nlevel = "warn"\n',
        'agent.toml:7:9: log.level: "warn" is not one of the choices; allowed: "debug", "info", "warning" or "error" '
        '(default "info"); did you mean "warning"?',
    ),
    (
        AGENT + "[journal]\nretention_days = nan\n",
        "agent.toml:7:18: journal.retention_days: nan is not a finite number; allowed: a number from 0 to 3650 "
        "(default 7)",
    ),
    (
        AGENT + '[journal]\nretention_bytes = "2,5 GB"\n',
        'agent.toml:7:19: journal.retention_bytes: "2,5 GB" is not a size; allowed: a size such as "64 MiB" '
        '(default "2 GiB"); did you mean "2.5 GiB"?',
    ),
    (
        AGENT + '[journal]\nreceipts = ["blo", "BLO 2"]\n',
        'agent.toml:7:20: journal.receipts[1]: "BLO 2" does not have the right form; allowed: lower-case letters, '
        'digits and single hyphens, at most 40 characters; did you mean "blo-2"?',
    ),
    (
        AGENT + '[journal]\nreceipts = "blo"\n',
        'agent.toml:7:12: journal.receipts: is the text "blo"; allowed: a list, each lower-case letters, digits and '
        'single hyphens, at most 40 characters (default []); did you mean ["blo"]?',
    ),
    (
        AGENT + "tls = true\n",
        "agent.toml:6:7: broker.tls: is true; allowed: a table with the keys ca, certificate, key",
    ),
    (AGENT + "port = 1\nport = 2\n", "agent.toml:7:1: broker.port: is set twice, first in line 6; allowed: once"),
]


@pytest.mark.parametrize(("text", "expected"), AGENT_MISTAKES, ids=[expected[:40] for _, expected in AGENT_MISTAKES])
def test_a_mistake_in_agent_toml_is_said_word_by_word(folder: Folder, text: str, expected: str) -> None:
    folder.agent(text)
    assert folder.said() == [expected]


DEVICE_MISTAKES = [
    (
        'name = "a"\ndriver = "trial.laod"\n',
        'devices/a.toml:2:10: driver: there is no driver "trial.laod"; allowed: "test.rich", "test.torn" or '
        '"trial.load"; did you mean "trial.load"?',
    ),
    (
        'name = "a"\ndriver = "test.torn"\n',
        'devices/a.toml:2:10: driver: the driver "test.torn" is installed but cannot be loaded (ModuleNotFoundError: '
        "No module named 'no_such_module'); allowed: a driver that `edge-agent drivers` lists as working",
    ),
    ('name = "a"\n', "devices/a.toml:1:1: driver: is missing; allowed: text"),
    (
        'name = "agent"\ndriver = "trial.load"\n',
        'devices/a.toml:1:8: name: "agent" is the agent\'s own name; allowed: any other name; did you mean "agent-1"?',
    ),
    (
        'name = "Lane 1"\ndriver = "trial.load"\n',
        'devices/a.toml:1:8: name: "Lane 1" does not have the right form; allowed: lower-case letters, digits and '
        'single hyphens, at most 40 characters; did you mean "lane-1"?',
    ),
    (
        DEVICE + 'enabled = "yes"\n',
        'devices/a.toml:3:11: enabled: is the text "yes"; allowed: true or false (default true); did you mean true?',
    ),
    (
        DEVICE + "max_rate = 0\n",
        "devices/a.toml:3:12: max_rate: 0 is too small; allowed: a number above 0 (default 100)",
    ),
    (
        DEVICE + "[settings]\nenabled = false\n",
        "devices/a.toml:4:1: settings.enabled: is not known in [settings]; allowed: rate, size, count or memory; "
        "did you mean enabled?",
    ),
    (
        DEVICE + "rate = 3\n",
        "devices/a.toml:3:1: rate: is not known; allowed: name, driver, enabled, evidence, max_rate, memory or "
        "settings; did you mean settings.rate?",
    ),
    (
        DEVICE + "size = 3\n",
        "devices/a.toml:3:1: size: is not known; allowed: name, driver, enabled, evidence, max_rate, memory or "
        "settings; did you mean settings.size?",
    ),
    (
        DEVICE + "settings = 3\n",
        "devices/a.toml:3:12: settings: is not a table; allowed: a table with the keys rate, size, count, memory",
    ),
    (
        RICH + 'regions = [{ name = "r", points = [[0, 0], [1, 1], [2, "2"]] }]\n',
        'devices/a.toml:4:56: settings.regions[0].points[2][1]: is the text "2"; allowed: a number; did you mean 2?',
    ),
    (
        RICH + '[[settings.regions]]\nname = "r"\npoints = [[0, 0], [1, 1]]\n',
        "devices/a.toml:6:10: settings.regions[0].points: has 2 entries; allowed: a list of 3 to 5 entries, each a "
        "list of 2: a number, a number",
    ),
    (
        RICH + '[[settings.regions]]\nname = "r"\npoints = [[0, 0], [1, 1], [2]]\n',
        "devices/a.toml:6:27: settings.regions[0].points[2]: has 1 entry; allowed: a list of 2: a number, a number",
    ),
    (
        RICH + '[[settings.regions]]\nname = "r"\n',
        "devices/a.toml:4:12: settings.regions[0].points: is missing; allowed: a list of 3 to 5 entries, each a list "
        "of 2: a number, a number",
    ),
    (
        RICH + '[[settings.regions]]\nname = "r"\nshape = "bax"\npoints = [[0,0],[0,0],[0,0]]\n',
        'devices/a.toml:6:9: settings.regions[0].shape: "bax" is not one of the choices; allowed: "box" or "line" '
        '(default "box"); did you mean "box"?',
    ),
    (
        RICH + "lamp.level = 4\n",
        "devices/a.toml:4:14: settings.lamp.level: 4 is not a whole number of steps; allowed: a whole number from 0 to "
        "9 in steps of 3 (default 3)",
    ),
    (
        RICH + "[settings.lamp]\nlevl = 4\n",
        "devices/a.toml:5:1: settings.lamp.levl: is not known in [settings.lamp]; allowed: level or colours; "
        "did you mean level?",
    ),
    (
        RICH + "port = 1.5\n",
        "devices/a.toml:4:8: settings.port: is the number 1.5; allowed: a whole number or text (default 1); "
        'did you mean "1.5"?',
    ),
    (
        RICH + 'table = "/no/such/table"\n',
        'devices/a.toml:4:9: settings.table: "/no/such/table" is not a file that exists; allowed: the path of a file '
        "that exists",
    ),
    (
        RICH + 'folder = "/"\n',
        "devices/a.toml:4:10: settings.folder: the folder of everything cannot be watched; allowed: a path "
        '(default "inbox")',
    ),
    (
        RICH + 'serial = "xyz"\n',
        'devices/a.toml:4:10: settings.serial: "xyz" does not have the right form; allowed: text of the form ^[a-f]+$ '
        '(default "ab")',
    ),
    (
        RICH + "limits = { a = 1, b = true }\n",
        "devices/a.toml:4:23: settings.limits.b: is true; allowed: a number",
    ),
    (
        RICH + 'weight = "1,5 KB"\n',
        'devices/a.toml:4:10: settings.weight: "1,5 KB" is not a size; allowed: a size such as "64 MiB" '
        '(default "1 KiB"); did you mean "1.5 KiB"?',
    ),
    (
        RICH + "note = 2025-01-31\n",
        'devices/a.toml:4:8: settings.note: is the date or time 2025-01-31; allowed: text (default ""); '
        'did you mean "2025-01-31"?',
    ),
    (
        RICH + "serial = 2025-01-31\n",
        "devices/a.toml:4:10: settings.serial: is the date or time 2025-01-31; allowed: text of the form ^[a-f]+$ "
        '(default "ab")',
    ),
]


@pytest.mark.usefixtures("drivers")
@pytest.mark.parametrize(
    ("text", "expected"), DEVICE_MISTAKES, ids=[expected[15:60] for _, expected in DEVICE_MISTAKES]
)
def test_a_mistake_in_a_device_file_is_said_word_by_word(folder: Folder, text: str, expected: str) -> None:
    folder.device("a.toml", text)
    assert folder.said() == [expected]


def test_the_source_line_is_shown_with_a_caret(folder: Folder) -> None:
    folder.agent(AGENT + "port = 70000   # the broker's\n")
    (mistake,) = folder.examine().mistakes
    assert mistake.snippet == "     6 | port = 70000   # the broker's\n       |        ^^^^^"


def test_the_caret_stands_right_below_tabs_and_wide_characters(folder: Folder) -> None:
    folder.device("a.toml", DEVICE + 'settings = { \t"边界" = 1 }\n')
    (mistake,) = folder.examine().mistakes
    assert mistake.snippet == '     3 | settings = { \t"边界" = 1 }\n       |              \t^^^^^^'


def test_a_long_line_is_shown_around_the_mistake(folder: Folder) -> None:
    consumers = '"blo", ' * 100
    folder.agent(f"{AGENT}[journal]\nreceipts = [{consumers}3]\n")
    (mistake,) = folder.examine().mistakes
    line, caret = mistake.snippet.split("\n")
    assert len(line) <= 110
    assert line[caret.index("^")] == "3"


def test_nothing_in_a_file_reaches_the_terminal_as_an_escape_sequence(folder: Folder) -> None:
    folder.agent(AGENT.replace("kordai", "\x1b[2J"))
    (mistake,) = folder.examine().mistakes
    assert "\x1b" not in str(mistake) + mistake.snippet


def test_a_name_that_two_devices_have_is_told_with_both_files(folder: Folder) -> None:
    folder.device("a.toml", DEVICE)
    folder.device("b.toml", f"# a copy\n{DEVICE}")
    assert folder.said() == [
        'devices/b.toml:2:8: name: "lane-1" is already the name in devices/a.toml:1; allowed: a name only once'
    ]
    (mistake,) = folder.examine().mistakes
    assert mistake.snippet == '     2 | name = "lane-1"\n       |        ^^^^^^^^'


def test_many_mistakes_in_many_files_are_told_at_once(folder: Folder) -> None:
    folder.agent('[post]\ncountry = "KZ"\nbcp = kordai\n[brokr]\nhost = 1\n')
    folder.device("a.toml", 'name = "one"\nname = "two"\ndriver = "trial.load"\nenabled = 1\n[settings]\nrate = "x"\n')
    folder.device("b.toml", b"\xff")
    folder.device("c.toml", 'name = "one"\ndriver = "trial"\n')
    folder.device("d.toml", "")
    assert [line.split("; ")[0] for line in folder.said()] == [
        'agent.toml:2:11: post.country: "KZ" does not have the right form',
        "agent.toml:3:7: post.bcp: kordai is not a value",
        "agent.toml:4:2: brokr: is not known",
        "devices/a.toml:2:1: name: is set twice, first in line 1",
        "devices/a.toml:4:11: enabled: is the whole number 1",
        'devices/a.toml:6:8: settings.rate: is the text "x"',
        "devices/b.toml:1:1: holds the byte 0xFF, which is not UTF-8",
        'devices/c.toml:1:8: name: "one" is already the name in devices/a.toml:1',
        'devices/c.toml:2:10: driver: there is no driver "trial"',
        "devices/d.toml:1:1: name: is missing",
        "devices/d.toml:1:1: driver: is missing",
    ]
    with pytest.raises(ConfigError) as raised:
        load(folder.path)
    assert len(raised.value.mistakes) == 11


def test_a_file_that_cannot_be_read_is_said_with_the_reason(folder: Folder) -> None:
    folder.device("bytes.toml", b'# a\nname = "caf\xe9"\n')
    folder.device("huge.toml", b"#" * (MAX_BYTES + 1))
    folder.device("notepad.toml", DEVICE.encode("utf-16"))
    (folder.path / "devices/folder.toml").mkdir()
    os.mkfifo(folder.path / "devices/pipe.toml")
    (folder.path / "devices/link.toml").symlink_to("gone.toml")
    assert folder.said() == [
        "devices/bytes.toml:2:12: holds the byte 0xE9, which is not UTF-8; allowed: UTF-8: choose it in the editor's "
        "`save as`",
        "devices/folder.toml: is a folder, not a file",
        "devices/huge.toml: is too large for a configuration file; allowed: at most 256 KiB",
        "devices/link.toml: is a link to a file that is not there",
        "devices/notepad.toml:1:1: is saved as UTF-16; allowed: UTF-8: choose it in the editor's `save as`",
        "devices/pipe.toml: is a device or pipe, not a file",
    ]


@pytest.fixture
def nobody() -> Iterator[str]:
    """Root may read everything, so give that up for a while; the name of the user who is left."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    yield pwd.getpwuid(os.geteuid()).pw_name
    os.seteuid(own)


def test_files_and_folders_that_may_not_be_read(folder: Folder, request: pytest.FixtureRequest) -> None:
    (folder.path / "agent.toml").chmod(0)
    (folder.path / "devices").chmod(0)
    user = request.getfixturevalue("nobody")
    assert folder.said() == [
        f"agent.toml: may not be read by the user {user}",
        f"devices: may not be read by the user {user}",
    ]


def test_a_folder_without_agent_toml(folder: Folder, tmp_path: Path) -> None:
    (folder.path / "agent.toml").unlink()
    assert folder.said() == ["agent.toml: is not there; allowed: a folder with agent.toml and devices/"]
    with pytest.raises(ConfigError, match="is not there"):
        load(tmp_path / "nowhere")


def test_marks_and_line_ends_of_windows_links_and_other_files_are_no_mistakes(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.toml").write_bytes(b"\xef\xbb\xbf" + DEVICE.replace("\n", "\r\n").encode())
    (folder.path / "devices/a.toml").symlink_to(tmp_path / "elsewhere.toml")
    folder.device("b.toml~", "not toml")
    folder.device(".#c.toml", "not toml")
    assert [device.name for device in load(folder.path).devices] == ["lane-1"]
    assert folder.noted() == ["devices/b.toml~: is not read: only files whose name ends in .toml are"]


def test_a_mark_of_windows_does_not_shift_the_place(folder: Folder) -> None:
    folder.device("a.toml", b'\xef\xbb\xbfname = "X"\r\ndriver = "trial.load"\r\n')
    assert folder.said()[0].startswith('devices/a.toml:1:8: name: "X" does not')


def test_what_is_odd_but_allowed_is_noted(folder: Folder) -> None:
    folder.agent(AGENT.replace("127.0.0.1", "broker.example"))
    assert folder.noted() == [
        "devices: there are no devices: nothing will be observed",
        "agent.toml: broker: events go over the network unencrypted: add a table [broker.tls]",
    ]
    folder.device("a.toml", DEVICE + "enabled = false\n")
    assert folder.noted()[0] == "devices: no device is enabled: nothing will be observed"
    (folder.path / "devices/a.toml").unlink()
    (folder.path / "devices").rmdir()
    assert load(folder.path).devices == ()


# -- secrets and certificates -----------------------------------------------------------------------------------------


def test_secrets_that_are_named_must_be_there_and_closed(folder: Folder) -> None:
    folder.agent(AGENT + 'username = "post"\npassword = "broker-password"\n')
    where = folder.path / "secrets/broker-password"
    assert folder.said() == [
        "agent.toml:7:12: broker.password: the secret broker-password is missing: write it into "
        "secrets/broker-password (chmod 600), or into /etc/credstore, from where systemd hands over what "
        "LoadCredential= names (only root may look)"
    ]
    folder.secret("broker-password", "open sesame\n", mode=0o640)
    assert folder.said() == [
        "agent.toml:7:12: broker.password: the secret secrets/broker-password is open to others (mode 640): "
        "chmod 600 secrets/broker-password"
    ]
    where.chmod(0o600)
    assert load(folder.path).agent.broker.password == "broker-password"


def test_a_secret_written_into_the_toml_is_not_shown_to_anybody(folder: Folder) -> None:
    folder.agent(AGENT + 'username = "post"\npassword = "open sesame!"   # psst\n')
    (mistake,) = folder.examine().mistakes
    assert mistake.snippet == "     7 | password = **************   # psst\n       |            ^^^^^^^^^^^^^^"
    assert "sesame" not in str(mistake)
    folder.agent(AGENT + 'username = "post"\npassword = open sesame\n')
    (mistake,) = folder.examine().mistakes
    assert "sesame" not in str(mistake) + mistake.snippet


@pytest.mark.usefixtures("drivers")
def test_a_secret_of_a_driver_is_not_shown_either(folder: Folder) -> None:
    folder.device("a.toml", RICH + "camera_password = 1234\n")
    (mistake,) = folder.examine().mistakes
    assert mistake.snippet == "     4 | camera_password = ****\n       |                   ^^^^"
    assert "1234" not in str(mistake)


@pytest.mark.usefixtures("drivers")
def test_a_secret_of_a_device_that_is_enabled_must_be_there(folder: Folder) -> None:
    folder.device("a.toml", RICH + 'camera_password = "gate-camera"\n')
    (said,) = folder.said()
    assert said.startswith(
        "devices/a.toml:4:19: settings.camera_password: the secret gate-camera is missing: write it into "
        "secrets/gate-camera (chmod 600)"
    )
    folder.device(
        "a.toml", RICH.replace("[settings]", "enabled = false\n[settings]") + 'camera_password = "gate-camera"\n'
    )
    assert folder.said() == []
    folder.secret("gate-camera", "open sesame\n")
    folder.device("a.toml", RICH + 'camera_password = "gate-camera"\n')
    assert folder.said() == []


def test_a_password_without_a_username_is_a_mistake(folder: Folder) -> None:
    folder.secret("p", "x")
    folder.agent(AGENT + 'password = "p"\n')
    assert folder.said() == [
        "agent.toml:6:1: broker.password: is not used without a username; allowed: username and password"
    ]


def tls(**keys: str) -> str:
    return AGENT + "[broker.tls]\n" + "".join(f'{key} = "{value}"\n' for key, value in keys.items())


def test_certificates_are_found_beside_agent_toml_and_held_against_their_key(folder: Folder, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    post, other = authority.issue("post"), authority.issue("other")
    (folder.path / "ca.pem").write_bytes(authority.certificate.read_bytes())
    folder.secret("broker-key", post.key.read_text())
    folder.agent(tls(ca="ca.pem", certificate=str(post.certificate), key="broker-key"))
    settings = load(folder.path).agent.broker.tls
    assert settings is not None
    assert settings.ca == folder.path / "ca.pem"
    assert settings.certificate == post.certificate
    folder.agent(tls(ca="ca.pem", certificate=str(other.certificate), key="broker-key"))
    assert folder.said() == [
        f"agent.toml:9:7: broker.tls.key: this key does not belong to the certificate {other.certificate}"
    ]


def test_certificates_that_are_not_there_or_none(folder: Folder) -> None:
    folder.secret("broker-key", "x")
    (folder.path / "post.pem").write_text("nonsense")
    folder.agent(tls(ca="gone.pem", certificate="post.pem", key="broker-key"))
    first, second = folder.said()
    assert first == (
        "agent.toml:7:6: broker.tls.ca: gone.pem is not there; allowed: a file in PEM format that the agent may read; "
        "a relative path starts at the folder of agent.toml"
    )
    assert second.startswith("agent.toml:8:15: broker.tls.certificate: post.pem and its key cannot be used together (")
    folder.agent(tls(ca="post.pem", key="broker-key"))
    first, second = folder.said()
    assert first.startswith("agent.toml:7:6: broker.tls.ca: post.pem holds no certificate; ")
    assert second == ("agent.toml:8:1: broker.tls.key: is not used without a certificate; allowed: certificate and key")


def test_a_path_with_a_zero_character_is_none(folder: Folder) -> None:
    folder.agent(tls(ca="a\\u0000b"))
    (line,) = folder.said()
    assert line.startswith("agent.toml:7:6: broker.tls.ca: a\N{REPLACEMENT CHARACTER}b is not a path; ")


def test_relative_paths_of_devices_stay_relative_to_the_state_directory(folder: Folder) -> None:
    folder.device("a.toml", DEVICE + '[settings]\nmemory = "m/x"\n')
    assert load(folder.path).devices[0].settings.model_dump()["memory"] == Path("m/x")


def test_ten_devices_load_within_20_milliseconds(folder: Folder) -> None:
    for number in range(10):
        text = DEVICE.replace("lane-1", f"lane-{number}") + "# a comment as long as they are in the examples\n" * 30
        folder.device(f"{number}.toml", text + "[settings]\nrate = 3\nsize = 4\n")
    load(folder.path)
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        load(folder.path)
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.020


SEEDS = [AGENT, DEVICE, RICH + '[[settings.regions]]\nname = "r"\npoints = [[0, 0], [1, 1], [2, 2]]\n']
BITS = st.sampled_from([*"=[]{}#.1-\n\t", '"', "'''", "x = ", "[settings]\n", "true", "nan", "\ufeff", "é"])


@pytest.mark.usefixtures("drivers")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 8), BITS | st.text(max_size=3)), min_size=1, max_size=4),
)
def test_whatever_is_in_a_file_each_mistake_has_its_place_in_it(
    folder: Folder, seed: str, changes: list[tuple[int, int, str]]
) -> None:
    for at, length, text in changes:
        seed = seed[:at] + text + seed[at + length :]
    try:
        data = seed.encode()
    except UnicodeEncodeError:
        data = seed.encode(errors="surrogatepass")
    folder.agent(data)
    folder.device("a.toml", data)
    findings = folder.examine()
    assert findings.mistakes  # no text is right as both
    shown = data.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    for mistake in findings.mistakes:
        assert str(mistake).count("\n") == 0
        assert mistake.snippet.count("\n") == (1 if mistake.source else 0)
        if mistake.line:
            assert 1 <= mistake.column <= len(shown[mistake.line - 1]) + 1
