"""What readers send, in every framing and cut up anyhow: all documents come out, and nothing else does."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.processing.mrz import framing
from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.cuts import CHARACTERS, STRAY
from edge_agent.processing.mrz.formats import FormatName
from edge_agent.processing.mrz.framing import FRAMINGS, Document, Found, Framer, Framing, Rejected
from edge_agent.simulate.documents import specimen
from tests.processing.mrz.zones import GOOD

Lines = tuple[str, ...]

ZONES: dict[str, Lines] = {name: tuple(line.strip() for line in zone.split()) for name, zone in GOOD.items()}
TD3 = ZONES["TD3 of Doc 9303 part 4"]
TD1 = ZONES["TD1 of Doc 9303 part 5"]
SHORT, LONG = 0.3, 2.0
BY_NAME = {each.name: each for each in FRAMINGS}
ACCESS_IS, CR, UNBROKEN = BY_NAME["access-is"], BY_NAME["cr"], BY_NAME["unbroken"]


def send(chunks: Iterable[tuple[bytes, float]], framer: Framer | None = None) -> list[Found]:
    """Feed chunks, each with the silence after it, and wait until the framer has nothing left."""
    framer = framer or Framer()
    found, now = [], 0.0
    for chunk, silence in chunks:
        found += framer.feed(chunk, now)
        now += silence
        found += framer.idle(now)
    return found + framer.idle(now + SHORT) + framer.idle(now + LONG)


def documents(found: Iterable[Found]) -> list[Lines]:
    return [each.lines for each in found if isinstance(each, Document)]


def rejections(found: Iterable[Found]) -> list[str]:
    return [each.code for each in found if isinstance(each, Rejected)]


@pytest.mark.parametrize("framed", FRAMINGS, ids=lambda framed: framed.name)
@pytest.mark.parametrize("name", ZONES)
def test_every_specimen_in_every_framing_byte_by_byte(framed: Framing, name: str) -> None:
    found = send((bytes([byte]), 0.001) for byte in framed.wrap(ZONES[name]))
    assert documents(found) == [ZONES[name]]
    assert rejections(found) == []


@pytest.mark.parametrize("framed", FRAMINGS, ids=lambda framed: framed.name)
def test_split_in_two_at_every_byte(framed: Framing) -> None:
    sent = framed.wrap(TD3) + framed.wrap(TD1)
    for at in range(len(sent) + 1):
        assert documents(send([(sent[:at], 0.01), (sent[at:], 0.01)])) == [TD3, TD1], at


def test_known_framings_are_those_that_were_asked_for() -> None:
    assert ACCESS_IS.wrap(("A", "B", "C")) == b"\x1c\x02A\rB\rC\x03\x1d"
    lengths = {len(framed.wrap(lines)) for framed in FRAMINGS if "unbroken" in framed.name for lines in (TD3, TD1)}
    assert {88, 89, 90, 92} <= lengths


def test_a_pause_in_the_noise_takes_no_room() -> None:
    noise = b"90", b"U9"  # as many characters as may touch a document, and the reader halts between them
    sent = ZONES["TD2 of Doc 9303 part 6"]
    assert documents(send([(noise[0], 0.6), (noise[1] + CR.wrap(sent), 3.0)])) == [sent]


# -- by property: random documents, framings, noise and splits -----------------------------------------------------


@cache
def pool() -> list[Lines]:
    """Documents with check digits enough to be found next to noise; licences need marks around them."""
    rng = np.random.default_rng(20261124)
    invented = [specimen(rng, name).lines for name in list(FormatName)[:5] for _ in range(60)]
    return [*invented, *(lines for lines in ZONES.values() if len(lines) > 1 and len(lines[0]) > 9)]


def noise(chance: Random) -> bytes:
    """No marks, and never more than ``STRAY`` characters of the alphabet in a row: more would be half a document."""
    kept, run = bytearray(), 0
    for byte in chance.randbytes(chance.choice((0, 0, 1, 4, 12))):
        run = run + 1 if chr(byte) in CHARACTERS else 0
        if run <= STRAY:
            kept.append(byte)
    return bytes(kept)


def stream(chance: Random) -> tuple[list[Lines], list[tuple[bytes, float]]]:
    """Some documents, and a stream that has them in it: one framing, noise between, split anywhere, with pauses."""
    sent = [chance.choice(pool()) for _ in range(chance.choice((1, 1, 2, 3)))]
    framed = chance.choice(FRAMINGS)
    text, ends = noise(chance), set()
    for lines in sent:
        text += framed.wrap(lines)
        ends.add(len(text))
        text += chance.choice((b"", b"\x80" + noise(chance)))
    cuts = sorted(ends | {chance.randrange(len(text)) for _ in range(chance.choice((0, 1, 8)))})
    if chance.random() < 0.02:
        cuts = list(range(len(text)))
    chunks = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        pauses = (0.0, 0.4, 3.0) if end in ends else (0.0, 0.001, 0.2, 0.6)
        chunks.append((text[start:end], chance.choice(pauses)))
    return sent, chunks


def check(chance: Random) -> None:
    sent, chunks = stream(chance)
    found = send(chunks)
    assert documents(found) == sent
    assert all(each.proven for each in found if isinstance(each, Document))


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(st.integers(0, 2**63))
def test_none_is_lost_and_none_invented(seed: int) -> None:
    check(Random(seed))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_the_same_with_chances_that_are_chosen_to_hurt(chance: Random) -> None:
    check(chance)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=400), st.sampled_from((0.0, 0.3, 2.0))), max_size=6))
def test_what_is_no_document_never_becomes_one(chunks: list[tuple[bytes, float]]) -> None:
    assert documents(send(chunks)) == []


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(FRAMINGS), st.sampled_from(pool()), st.text(ALPHABET, max_size=3), st.data())
def test_a_damaged_document_is_never_taken_for_one_of_another_format(
    framed: Framing, lines: Lines, put: str, data: st.DataObject
) -> None:
    sent = framed.wrap(lines)
    at = data.draw(st.integers(5, len(sent) - 5))
    found = send([(sent[:at] + put.encode() + sent[at + data.draw(st.integers(0, 5)) :], 0.0)])
    assert all(tuple(map(len, each)) == tuple(map(len, lines)) for each in documents(found))


# -- cases worth a name --------------------------------------------------------------------------------------------


def test_a_document_is_certain_with_its_last_mark_and_without_marks_after_a_gap() -> None:
    for framed in (ACCESS_IS, CR, BY_NAME["unbroken, cr"]):
        assert documents(Framer().feed(framed.wrap(TD3), 0.0)) == [TD3]
    framer = Framer()
    assert framer.feed(UNBROKEN.wrap(TD3), 0.0) == []
    assert framer.idle(0.2) == []
    assert framer.idle(0.3) == [Document(TD3, proven=True, ended=0.0)]


def test_a_misread_document_is_given_out_as_not_proven() -> None:
    misread = (TD3[0], TD3[1].replace("L898902C3", "L898902C4"))
    for framed in FRAMINGS:
        assert send([(framed.wrap(misread), 0.0)]) == [Document(misread, proven=False, ended=0.0)]


def test_what_the_reader_could_not_make_out_stays_as_it_marked_it() -> None:
    misread = (TD3[0], TD3[1].replace("L898902C3", "L8989*2C3"))
    assert documents(send([(ACCESS_IS.wrap(misread), 0.0)])) == [misread]


def test_a_visa_or_card_is_not_found_in_a_misread_passport() -> None:
    """From its ninth column on, this zone is a perfect visa; only 8 characters to either side say that it is none."""
    passport = ("P<UTOXYZVARGA<<ANNA<MARIA".ljust(44, "<"), TD3[1][:-1] + "9")
    assert send([(UNBROKEN.wrap(passport), 0.0)]) == [Document(passport, proven=False, ended=0.0)]
    for before in (b"A", b"AB<1"):
        found = send([(before + UNBROKEN.wrap(passport), 0.0)])
        assert (documents(found), rejections(found)) == ([], ["half-document"])


def test_lines_of_two_documents_are_never_joined() -> None:
    other = ZONES["Chinese passport"]
    two = send([(f"{TD3[0]}\r".encode(), 1.5), (f"{other[1]}\r".encode(), 0.0)])
    assert rejections(two) == ["half-document", "half-document"]
    assert documents(two) == []
    framed = send([(b"\x02" + TD3[0].encode() + b"\r\x03\x02" + other[1].encode() + b"\x03", 0.0)])
    assert documents(framed) == []


@pytest.mark.parametrize("framed", FRAMINGS, ids=lambda framed: framed.name)
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_half_a_document_is_rejected_with_a_reason_and_the_next_is_read(framed: Framing, part: float) -> None:
    sent = framed.wrap(TD3)
    found = send([(sent[: int(len(sent) * part)], 0.5), (sent, 0.0)])
    assert rejections(found) == ["half-document"]
    assert documents(found) == [TD3]
    assert "swipe it again" in next(each.message for each in found if isinstance(each, Rejected))


def test_half_a_document_is_rejected_after_a_while_even_if_nothing_follows() -> None:
    framer = Framer()
    framer.feed(CR.wrap(TD3)[:60], 0.0)
    assert framer.idle(0.9) == []
    assert rejections(framer.idle(1.0)) == ["half-document"]
    assert framer.idle(9.0) == []


def test_rejections_hold_nothing_of_the_document() -> None:
    (rejected,) = send([(CR.wrap(TD3)[:60], 0.0)])
    assert isinstance(rejected, Rejected)
    assert "ERIKSSON" not in rejected.message
    assert rejected.size == 59


def test_a_wrong_baud_rate_is_named() -> None:
    garbled = bytes(byte ^ 0x80 for byte in CR.wrap(TD3))
    (rejected,) = send([(garbled, 0.0)])
    assert isinstance(rejected, Rejected)
    assert rejected.code == "no-document"
    assert "baud rate" in rejected.message


def test_a_few_bytes_of_noise_are_not_worth_a_word() -> None:
    assert send([(b"\x00\xff\x80A7", 5.0), (b"\xfe", 5.0)] * 50) == []


def test_a_reader_that_babbles_is_called_so_and_a_document_ends_it() -> None:
    framer = Framer()
    framer.feed(b"\x55" * 1000, 0.0)
    assert not framer.babbling
    framer.feed(b"\x55" * 1500, 1.0)
    assert framer.babbling
    assert documents(framer.feed(ACCESS_IS.wrap(TD3), 1.5)) == [TD3]
    assert not framer.babbling


def test_a_slow_trickle_is_no_babble() -> None:
    framer = Framer()
    for second in range(5000):
        framer.feed(b"\xaa", float(second))
    assert not framer.babbling


def test_memory_and_time_are_bounded_whatever_comes() -> None:
    rng = np.random.default_rng(1)
    for noise in (rng.bytes(200_000), b"V" * 200_000, b"<" * 200_000, b"\r" * 200_000):
        framer = Framer()
        started = time.perf_counter()
        framer.feed(noise, 0.0)
        assert len(framer._text) <= framing.LIMIT * 2
        assert time.perf_counter() - started < 5


def test_documents_in_an_endless_stream_without_any_mark() -> None:
    sent = [lines for lines in ZONES.values() if len(lines) > 1 and len(lines[0]) > 9] * 5
    assert documents(send([("".join("".join(lines) for lines in sent).encode(), 0.0)])) == sent
