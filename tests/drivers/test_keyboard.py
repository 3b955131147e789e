"""Input events of readers that pose as a keyboard.

None of this was tried on hardware: where the tests run there is no /dev/uinput, so events come through a pipe, and
that a device is taken for ourselves is tried only where it fails.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import keyboard
from drivers.keyboard import EVENT, KEY, LAYOUTS, LOST, SYN, SYN_DROPPED, Decoder, Keyboard
from edge_agent.driver import DriverError
from edge_agent.processing.mrz.check_digits import ALPHABET

SHIFT, CTRL, COMMA, DOT, A, B, ENTER = 42, 29, 51, 52, 30, 48, 28


def event(kind: int, code: int, value: int) -> bytes:
    return EVENT.pack(1764000000, 123456, kind, code, value)


def press(code: int, *held: int) -> bytes:
    """A key pressed and released, with others held, as the kernel tells it."""
    keys = [(each, 1) for each in held] + [(code, 1), (code, 0)] + [(each, 0) for each in held]
    return b"".join(event(4, 4, 0x70000 + key) + event(KEY, key, value) + event(SYN, 0, 0) for key, value in keys)


def typed(text: str, layout: str = "us") -> bytes:
    """The events with which a reader of this layout types a text."""
    codes = {character: code for code, character in reversed(LAYOUTS[layout].items())}
    angle = press(COMMA, SHIFT) if layout == "us" else press(codes["<"])

    def key(character: str) -> bytes:
        return press(codes[character], SHIFT) if character.isalpha() else press(codes[character])

    return b"".join(angle if character == "<" else key(character) for character in text)


def test_an_event_has_24_bytes_as_the_kernel_has_it() -> None:
    assert EVENT.size == 24


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_character_of_a_zone_can_be_typed(layout: str) -> None:
    assert Decoder(layout).feed(typed(ALPHABET + "\r", layout)) == ALPHABET.encode() + b"\r"


def test_layouts_differ_where_they_should() -> None:
    keys = b"".join(press(code) for code in (16, 17, 21, 30, 44, 39))
    assert {layout: Decoder(layout).feed(keys) for layout in LAYOUTS} == {
        "us": b"QWYAZ" + LOST,
        "de": b"QWZAY" + LOST,
        "fr": b"AZYQWM",
    }


@pytest.mark.parametrize("keys", [press(COMMA, SHIFT), press(DOT, 54), press(86), press(86, SHIFT)])
def test_the_filler_has_several_keys(keys: bytes) -> None:
    assert Decoder("us").feed(keys) == b"<"


def test_letters_are_capitals_whatever_the_locks_say_and_a_held_key_counts_once() -> None:
    held = event(KEY, A, 1) + event(KEY, A, 2) * 20 + event(KEY, A, 0)
    assert Decoder("us").feed(press(A) + press(58) + press(A) + held + press(A, SHIFT)) == b"AAAA"


def test_marks_are_typed_with_control() -> None:
    keys = press(43, CTRL) + press(B, CTRL) + press(A) + press(46, CTRL) + press(27, 97)
    assert Decoder("us").feed(keys) == b"\x1c\x02A\x03\x1d"


def test_keys_that_the_kernel_lost_leave_a_mark_and_no_shift() -> None:
    keys = event(KEY, SHIFT, 1) + event(SYN, SYN_DROPPED, 0) + press(COMMA)
    assert Decoder("us").feed(keys) == LOST + LOST


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(sorted(LAYOUTS)))
def test_anything_can_be_decoded_in_any_pieces(data: bytes, layout: str) -> None:
    one, other = Decoder(layout), Decoder(layout)
    assert one.feed(data) == b"".join(other.feed(bytes([byte])) for byte in data)


def test_a_device_is_read_as_it_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "event7"
    os.mkfifo(path)
    taken: list[int] = []
    monkeypatch.setattr(keyboard, "grab", taken.append)
    end = os.open(path, os.O_RDWR)
    device = Keyboard(str(path), "us")
    assert len(taken) == 1
    assert device.read(0.01) == b""
    os.write(end, typed("P<UTO\r"))
    assert b"".join(device.read(0.1) for _ in range(5)) == b"P<UTO\r"
    os.close(end)
    with pytest.raises(DriverError, match="was it unplugged"):
        device.read(5)
    device.close()


def test_what_cannot_be_taken_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DriverError, match=r"no input device .*nothing: plug it in"):
        Keyboard(str(tmp_path / "nothing"), "us")
    with pytest.raises(DriverError, match=r"is no input device: take one from .* -event-kbd"):
        Keyboard(os.devnull, "us")
    for code, told in ((errno.EBUSY, "taken by another program"), (errno.EACCES, "may not read")):

        def refuse(_: int, code: int = code) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(keyboard, "grab", refuse)
        with pytest.raises(DriverError, match=told):
            Keyboard(os.devnull, "us")
