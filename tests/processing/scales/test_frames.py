"""What scales send: A&D and CAS lines, Toledo 8217, SICS; cut anywhere, with noise between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.scales.frames import LIMIT, Framer, Loads, Protocol, Reading, State, kilograms, parse

GOOD = [
    (Protocol.AND, b"ST,GS,+  4.876kg\r\n", State.STABLE, "4.876", "kg", False),
    (Protocol.AND, b"ST,NT,+0012345kg\r\n", State.STABLE, "0012345", "kg", True),
    (Protocol.AND, b"ST,+00123.45  g\r\n", State.STABLE, "00123.45", "g", None),
    (Protocol.AND, b"ST,GS,1\xc8, 00013.5 kg\r\n", State.STABLE, "00013.5", "kg", False),
    (Protocol.AND, b"ST,OK,+0001.234 kg\r\n", State.STABLE, "0001.234", "kg", None),
    (Protocol.AND, b"ST,GS,-  0.500 kg\n", State.STABLE, "-0.500", "kg", False),
    (Protocol.AND, b"US,GS,+  4.1  kg\r\n", State.MOVING, "", "kg", False),
    (Protocol.AND, b"OL,GS,+9999999kg\r\n", State.OVER, "", "kg", False),
    (Protocol.AND, b"OL,-999999.9  g\r\n", State.UNDER, "", "g", None),
    (Protocol.TOLEDO, b"\x0204.876\r", State.STABLE, "04.876", "", False),
    (Protocol.TOLEDO, b"\x02 1.250N\r", State.STABLE, "1.250", "", True),
    (Protocol.TOLEDO, b"\x02?\x01\r", State.MOVING, "", "", False),
    (Protocol.TOLEDO, b"\x02?B\r", State.OVER, "", "", False),
    (Protocol.TOLEDO, b"\x02?\x04\r", State.UNDER, "", "", False),
    (Protocol.TOLEDO, b"\x02?\x40\r", State.UNCHANGED, "", "", False),
    (Protocol.TOLEDO, b"\x02?\r\r", State.UNDER, "", "", False),
    (Protocol.SICS, b"S S     100.00 g\r\n", State.STABLE, "100.00", "g", None),
    (Protocol.SICS, b"S S      -0.02 kg\r\n", State.STABLE, "-0.02", "kg", None),
    (Protocol.SICS, b"S D      12.30 kg\r\n", State.MOVING, "", "kg", None),
    (Protocol.SICS, b"S I\r\n", State.BUSY, "", "", None),
    (Protocol.SICS, b"S +\r\n", State.OVER, "", "", None),
    (Protocol.SICS, b"S -\r\n", State.UNDER, "", "", None),
]


@pytest.mark.parametrize(("protocol", "frame", "state", "digits", "unit", "net"), GOOD)
def test_frames_are_read_whole_and_byte_by_byte(
    protocol: Protocol, frame: bytes, state: State, digits: str, unit: str, net: bool | None
) -> None:
    for size in (1, 3, len(frame)):
        framer = Framer(protocol)
        found = [r for at in range(0, len(frame), size) for r in framer.feed(frame[at : at + size])]
        assert [(r.state, r.digits, r.unit, r.net) for r in found] == [(state, digits, unit, net)]
        assert framer.noise == 0


@pytest.mark.parametrize(
    ("protocol", "frame"),
    [
        (Protocol.AND, b"ST,GS,+  4.8"),
        (Protocol.AND, b"GS,+  4.876kg"),
        (Protocol.AND, b"ST,GS,+  4.8?6kg"),
        (Protocol.AND, b"ST,GS,+  4.876kgST,GS,+  4.876kg"),
        (Protocol.AND, b"QT,+00012345 PC"),
        (Protocol.AND, b"ST,TR,+  1.000kg"),
        (Protocol.AND, b"  4.876"),
        (Protocol.TOLEDO, b"04.876"),
        (Protocol.TOLEDO, b"\x02"),
        (Protocol.TOLEDO, b"\x0204.8\x0276"),
        (Protocol.SICS, b"S S 1O0.00 g"),
        (Protocol.SICS, b"ES"),
    ],
)
def test_what_has_not_the_shape_of_its_protocol_is_no_weight(protocol: Protocol, frame: bytes) -> None:
    assert parse(frame, protocol) is None


@given(st.sampled_from(Protocol), st.binary(max_size=600), st.integers(1, 60))
def test_any_bytes_give_the_same_readings_however_they_are_cut(protocol: Protocol, data: bytes, size: int) -> None:
    def readings(step: int) -> list[Reading]:
        framer = Framer(protocol)
        return [r for at in range(0, len(data), step) for r in framer.feed(data[at : at + step])]

    assert [r.frame for r in readings(size)] == [r.frame for r in readings(1)]


@given(st.sampled_from([Protocol.AND, Protocol.SICS]), st.binary(max_size=50).filter(lambda b: b"S" not in b))
def test_a_reading_is_found_behind_noise(protocol: Protocol, noise: bytes) -> None:
    frame = b"ST,GS,+  4.876kg\r\n" if protocol is Protocol.AND else b"S S 4.876 kg\r\n"
    assert Framer(protocol).feed(noise + b"\r\n" + frame)[-1].digits == "4.876"


def test_noise_is_counted_and_takes_no_room() -> None:
    framer = Framer(Protocol.AND)
    for _ in range(100):
        framer.feed(b"\x55" * 100)
    assert framer.noise > 9000
    assert len(framer._rest) <= LIMIT


def shown(digits: str, state: State = State.STABLE, unit: str = "kg") -> Reading:
    return Reading(state, digits if state is State.STABLE else "", unit, None, b"")


def placed(*readings: Reading, agree: int = 2) -> list[str]:
    loads = Loads(empty=0.02, agree=agree, unit="kg")
    return [load.digits for reading in readings if (load := loads.take(reading)) is not None]


def test_a_load_is_told_once_however_long_it_lies() -> None:
    moving = shown("", State.MOVING)
    assert placed(shown("0.000"), moving, *[shown("4.876")] * 50, shown("4.877"), shown("4.877")) == ["4.876"]


def test_the_next_load_of_the_same_weight_is_another_one() -> None:
    empty, load = [shown("0.000")] * 2, [shown("4.876")] * 2
    assert placed(*load, *empty, *load) == ["4.876", "4.876"]


def test_what_is_added_makes_another_weight() -> None:
    assert placed(*[shown("1.000")] * 3, shown("", State.MOVING), *[shown("3.000")] * 3) == ["1.000", "3.000"]


def test_a_digit_garbled_once_is_no_weight() -> None:
    assert placed(*[shown("4.876")] * 2, shown("9.876"), *[shown("4.876")] * 2) == ["4.876"]
    assert placed(shown("4.876"), shown("", State.MOVING), shown("4.876")) == []


def test_nothing_less_than_nothing_and_an_overload_are_no_loads() -> None:
    assert placed(*[shown("-1.000")] * 3, *[shown("0.019")] * 3, *[shown("", State.OVER)] * 3) == []


def test_a_toledo_that_only_says_unchanged_confirms_its_weight() -> None:
    same = shown("", State.UNCHANGED)
    assert placed(shown("4.876", unit=""), same, same) == ["4.876"]
    assert placed(same, same) == []


@pytest.mark.parametrize(
    ("unit", "kg"), [("kg", 2.0), ("g", 0.002), ("lb", 0.90718474), ("oz", 0.05669904625), ("", 0.002)]
)
def test_units_are_converted(unit: str, kg: float) -> None:
    assert kilograms(shown("2", unit=unit), "g") == pytest.approx(kg)
