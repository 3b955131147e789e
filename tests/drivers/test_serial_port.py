"""Serial ports by name, by USB id and by serial number, and what a technician is told when one cannot be had."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from drivers import serial_port
from drivers.serial_port import SerialPort, SerialSettings, find_port
from edge_agent.driver import DriverError
from tests.drivers.wires import Wire


def adapter(
    device: str, vid: int | None = 0x0DB5, pid: int | None = 0x0139, serial_number: str | None = "A1"
) -> object:
    return SimpleNamespace(device=device, vid=vid, pid=pid, serial_number=serial_number)


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    ports: list[object] = [adapter("/dev/ttyS0", vid=None), adapter("/dev/ttyUSB3")]
    monkeypatch.setattr(serial_port.list_ports, "comports", lambda: ports)
    return ports


def test_a_name_without_a_folder_is_one_that_udev_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_port, "BY_ID", tmp_path)
    settings = SerialSettings(port="usb-FTDI_A10K4XYZ")
    assert find_port(settings) is None
    with Wire(tmp_path / "usb-FTDI_A10K4XYZ") as wire:
        assert find_port(settings) == str(wire.link)


@pytest.mark.parametrize(
    "settings",
    [
        SerialSettings(usb="0DB5:0139"),
        SerialSettings(serial_number="A1"),
        SerialSettings(usb="0db5:0139", serial_number="A1"),
    ],
)
def test_an_adapter_is_found_whatever_its_number(settings: SerialSettings, plugged: list[object]) -> None:
    assert find_port(settings) == "/dev/ttyUSB3"
    plugged[1] = adapter("/dev/ttyUSB17")
    assert find_port(settings) == "/dev/ttyUSB17"
    plugged[1] = adapter("/dev/ttyUSB17", pid=0x1234, serial_number="B2")
    assert find_port(settings) is None


def test_two_of_the_same_kind_are_told_apart_by_serial_number_or_refused(plugged: list[object]) -> None:
    plugged.append(adapter("/dev/ttyUSB4", serial_number="A2"))
    assert find_port(SerialSettings(usb="0db5:0139", serial_number="A2")) == "/dev/ttyUSB4"
    with pytest.raises(DriverError, match=r"2 devices with USB id 0db5:0139.*ttyUSB3, /dev/ttyUSB4.*add serial_number"):
        find_port(SerialSettings(usb="0db5:0139"))


def test_settings_must_say_which_port() -> None:
    with pytest.raises(ValidationError, match="does not say which port"):
        SerialSettings()
    with pytest.raises(ValidationError):
        SerialSettings(usb="0db5-0139")


def test_bytes_come_as_soon_as_they_arrive(tmp_path: Path) -> None:
    with Wire(tmp_path / "port") as wire:
        port = SerialPort(SerialSettings(port=str(wire.link)))
        assert port.read(0.01) == b""
        wire.send(b"P<UTO\r\n\x03")
        assert port.read(5) == b"P<UTO\r\n\x03"
        port.close()


def test_what_arrived_before_the_port_was_opened_is_kept(tmp_path: Path) -> None:
    with Wire(tmp_path / "port") as wire:
        wire.send(b"P<UTO")
        port = SerialPort(SerialSettings(port=str(wire.link)))
        assert port.read(5) == b"P<UTO"
        port.close()


def test_a_port_has_one_listener(tmp_path: Path) -> None:
    with Wire(tmp_path / "port") as wire:
        settings = SerialSettings(port=str(wire.link))
        port = SerialPort(settings)
        with pytest.raises(DriverError, match="in use by another program"):
            SerialPort(settings)
        port.close()
        SerialPort(settings).close()


def test_a_cable_that_is_pulled_is_told_with_what_to_do(tmp_path: Path) -> None:
    with Wire(tmp_path / "port") as wire:
        port = SerialPort(SerialSettings(port=str(wire.link)))
        wire.unplug()
        with pytest.raises(DriverError, match="has gone: was it unplugged"):
            port.read(5)
        port.close()


def test_what_is_not_there_or_no_serial_port_is_told(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"no device at .*nothing: plug it in"):
        SerialPort(SerialSettings(port=str(tmp_path / "nothing")))
    with pytest.raises(DriverError, match="no serial port, or does not do 9600 baud"):
        SerialPort(SerialSettings(port=os.devnull))
    with pytest.raises(DriverError, match="cannot be opened"):
        SerialPort(SerialSettings(port=str(tmp_path)))
