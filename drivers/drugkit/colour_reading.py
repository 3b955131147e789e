"""From a picture or a film of a colour test to its event."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from typing import Any, Final

import av
import numpy as np

from drivers.drugkit.side_data import Kit, with_side_data
from drivers.folder import Content, RejectedError
from edge_agent.driver import Evidence
from edge_agent.events.drugkit import ColourGroup, ColourMoment, ColourStep, ColourTestRead, ReferenceCard
from edge_agent.processing.colourtest import reaction, sequence
from edge_agent.processing.colourtest.colour import Array
from edge_agent.processing.colourtest.locate import Pixels
from edge_agent.processing.colourtest.reaction import Moment
from edge_agent.processing.colourtest.reading import Colour, Quality, Refused, read_test
from edge_agent.processing.colourtest.sequence import Test, judge_step, known_tests, together
from edge_agent.processing.colourtest.verdict import READING_WINDOW, Judgement, Verdict
from edge_agent.processing.images import MAX_PIXELS, ImageError, decode, encode_jpeg, media_type

THUMBNAIL_SIDE: Final = 480
FILM_STEP: Final = 2.0
"""Seconds between two looks at a film."""
_MAX_TESTS: Final = 32
"""Tests of several steps that are remembered at a time."""
_JPEG_QUALITY: Final = 95
_PICTURES: Final = 70
"""Of a reaction that are kept: those of the reading window, of which one becomes evidence."""

References = Mapping[str, Array] | None


@cache
def engine() -> str:
    """What reads the colours."""
    return f"edge-agent {version('edge-agent')}"


def warm() -> None:
    """Load the table, and what OpenCV loads on first use."""
    for test in known_tests().values():
        for step in test.steps:
            if step.rows:
                sequence.judge_step(test, None, _WHITE, None, None)
    try:
        read_test(np.zeros((600, 800, 3), np.uint8))
    except Refused:
        return


_WHITE: Final = Colour(np.array((100.0, 0, 0)), np.array(((100.0, 0, 0),)), 1.0, 8, False)


@dataclass(slots=True)
class Memory:
    """The colours of the steps of the latest tests, by what joins their pictures."""

    tests: dict[str, dict[int, tuple[Colour, Judgement]]] = field(default_factory=dict)

    def steps(self, test: str) -> dict[int, tuple[Colour, Judgement]]:
        """The steps of a test seen so far; the oldest test is forgotten for a new one."""
        if test not in self.tests:
            while len(self.tests) >= _MAX_TESTS:
                del self.tests[next(iter(self.tests))]
            self.tests[test] = {}
        return self.tests[test]


def is_film(data: bytes) -> bool:
    """Whether a file is AVI, MP4, QuickTime or Matroska, by its first bytes."""
    return (data[:4] == b"RIFF" and data[8:12] == b"AVI ") or data[4:8] == b"ftyp" or data[:4] == b"\x1aE\xdf\xa3"


def read_file(data: bytes, kit: Kit, references: References, memory: Memory) -> Content:
    """Make an event of a picture or film file.

    Raises:
        RejectedError: it is neither, or no whole one.
    """
    if is_film(data):
        return watch(data, references).content(kit, memory)
    try:
        image = decode(data, full_depth=True)
    except ImageError as error:
        unfinished = error.code in {"truncated-image", "empty-file"}
        raise RejectedError(error.code, error.message, unfinished=unfinished) from None
    read = read_picture(image, with_side_data(kit, data), references, memory)
    evidence = Evidence(data, media_type(data), "colourtest", partial(thumbnail, image))
    return Content(read, (evidence,), failure=read.problem if read.colour is None else "")


def thumbnail(image: Pixels) -> bytes:
    """A small JPEG of a picture of 8 or 16 bits."""
    shown = image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
    return encode_jpeg(shown, longest_side=THUMBNAIL_SIDE)


def read_picture(image: Pixels, kit: Kit, references: References, memory: Memory) -> ColourTestRead:
    """Read the test in a picture: BGR, shape (height, width, 3), or grey, which is refused."""
    started = time.perf_counter()
    try:
        if image.ndim == 2:
            raise Refused("no_colour", "The picture has no colours: switch the camera to colour.")
        reading = read_test(image, references)
    except Refused as refused:
        return _refusal(refused, kit, started, references is not None)
    moment = Moment(kit.seconds or 0.0, reading.sample, reading.blank)
    return judged(moment, kit, _card(reading.quality, reading.measured), memory, started=started)


@dataclass(slots=True)
class Film:
    """A reaction as it is followed, by file or camera, from before the drop to the end of the reading window."""

    references: References
    moments: list[Moment] = field(default_factory=list)
    refused: Refused | None = None
    began: float | None = None
    _qualities: dict[float, Quality] = field(default_factory=dict)
    _pictures: dict[float, bytes] = field(default_factory=dict)

    def look(self, image: Pixels, seconds: float) -> bool:
        """Add a picture, taken so many seconds from the beginning; false if it could not be read."""
        try:
            reading = read_test(image, self.references)
        except Refused as error:
            self.refused = error
            return False
        self.moments.append(Moment(seconds, reading.sample, reading.blank))
        self._qualities[seconds] = reading.quality
        self._pictures[seconds] = encode_jpeg(image, quality=_JPEG_QUALITY)
        while len(self._pictures) > _PICTURES:
            del self._pictures[next(iter(self._pictures))]
        if self.began is None:
            self.began = reaction.onset(self.moments)
        if self.began is None and len(self.moments) > reaction.MAX_MOMENTS:  # nothing yet: forget the oldest half
            del self.moments[: reaction.MAX_MOMENTS // 2]
        return True

    @property
    def over(self) -> bool:
        """Whether the reading window is past."""
        return self.began is not None and self.moments[-1].seconds >= self.began + READING_WINDOW[1]

    def content(self, kit: Kit, memory: Memory) -> Content:
        """The event of what was seen."""
        started = time.perf_counter()
        measured = self.references is not None
        if not self.moments:
            read = _refusal(self.refused or Refused("no_card", "The film shows nothing."), kit, started, measured)
            return Content(read, failure=read.problem)
        chosen = reaction.final(self.moments)
        seconds = chosen.moment.seconds
        series = [ColourMoment(seconds=round(each.seconds, 2), colour=_lab(each.sample.lab)) for each in self.moments]
        card = _card(self._qualities[seconds], measured)
        read = judged(chosen.moment, kit, card, memory, started=started, film=chosen, series=series)
        picture = self._pictures[seconds]
        return Content(read, (Evidence(picture, "image/jpeg", "colourtest", partial(_smaller, picture)),))


def watch(data: bytes, references: References) -> Film:
    """Follow the reaction in a film's file.

    Raises:
        RejectedError: the film cannot be decoded.
    """
    film = Film(references)
    for seconds, image in frames(data):
        film.look(image, seconds)
        if film.over:
            break
    return film


def frames(data: bytes) -> Iterator[tuple[float, Pixels]]:
    """Pictures of a film, BGR, every ``FILM_STEP`` seconds, with their time.

    Raises:
        RejectedError: the film cannot be decoded.
    """
    try:
        with av.open(io.BytesIO(data), "r") as film:
            stream = film.streams.video[0]
            if stream.codec_context.width * stream.codec_context.height > MAX_PIXELS:
                raise RejectedError("too-large", "The film's pictures have too many pixels.")
            stream.codec_context.skip_frame = "NONREF"
            due = -1.0
            for frame in film.decode(stream):
                if frame.time is None or frame.time < due:
                    continue
                due = frame.time + FILM_STEP - 0.01
                yield float(frame.time), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    except (av.error.FFmpegError, IndexError, ValueError):
        raise RejectedError(
            "not-a-film", "The film cannot be decoded: save it as MP4 with H.264.", unfinished=True
        ) from None


def _smaller(picture: bytes) -> bytes:
    return encode_jpeg(decode(picture), longest_side=THUMBNAIL_SIDE)


def judged(
    moment: Moment,
    kit: Kit,
    card: ReferenceCard,
    memory: Memory,
    *,
    started: float,
    film: reaction.FinalColour | None = None,
    series: list[ColourMoment] | None = None,
) -> ColourTestRead:
    """The event of a colour that could be measured."""
    seconds = film.reaction_seconds if film is not None else kit.seconds
    test = known_tests().get(kit.reagent)
    steps: list[ColourStep] = []
    if test is None:
        problem = "Nobody said which reagent it is: set it in the device's file, or in the picture's description."
        judgement = Judgement(Verdict.INCONCLUSIVE, (), (), (), ("reagent_unknown",), problem)
    else:
        judgement, steps = _judge(test, moment, kit, memory)
    judgement = _limited(judgement, kit, seconds, film)
    findings = list(judgement.findings) + ([] if card.measured else ["card_not_measured"])
    return ColourTestRead(
        verdict=judgement.verdict.value,
        findings=findings,
        problem=judgement.problem,
        groups=[
            ColourGroup(
                name=match.group.rows[0].name,
                munsell=list(dict.fromkeys(notation for row in match.group.rows for notation in row.munsell)),
                distance=round(match.distance, 2),
                substances=match.group.substances,
            )
            for match in judgement.matches
        ],
        consistent_with=list(judgement.consistent),
        not_consistent_with=list(judgement.excluded),
        colour=_lab(moment.sample.lab),
        uncertainty=round(moment.sample.radius, 2),
        blank=_lab(moment.blank.lab) if moment.blank is not None else None,
        card=card,
        reaction_seconds=round(seconds, 1) if seconds is not None else None,
        series=series or [],
        steps=steps,
        **_known(kit, started),
    )


def _judge(test: Test, moment: Moment, kit: Kit, memory: Memory) -> tuple[Judgement, list[ColourStep]]:
    if len(test.steps) == 1:
        return judge_step(test, 1, moment.sample, moment.blank, None), []
    number = kit.step if kit.step is not None and kit.step <= len(test.steps) else None
    seen = memory.steps(kit.test) if kit.test and number is not None else {}
    before = seen[number - 1][0] if number is not None and number - 1 in seen else None
    alone = judge_step(test, number, moment.sample, moment.blank, before)
    if number is None:
        problem = f"This test takes {len(test.steps)} steps, and nobody said which of them this is. {alone.problem}"
        verdict = Verdict.INCONCLUSIVE if alone.consistent else alone.verdict
        findings = (*alone.findings, "step_unknown")
        return Judgement(verdict, alone.matches, alone.consistent, alone.excluded, findings, problem.strip()), []
    seen[number] = moment.sample, alone
    steps = [
        ColourStep(
            number=i,
            name=step.name,
            colour=_lab(seen[i][0].lab) if i in seen else None,
            as_expected_of=list(seen[i][1].consistent) if i in seen else [],
        )
        for i, step in enumerate(test.steps, 1)
    ]
    return together(test, [seen[i][1] if i in seen else None for i in range(1, len(test.steps) + 1)]), steps


def _limited(judgement: Judgement, kit: Kit, seconds: float | None, film: reaction.FinalColour | None) -> Judgement:
    """Make inconclusive what was read at the wrong time or of an old kit; what was seen stays in it."""
    findings, problems = list(judgement.findings), [judgement.problem] if judgement.problem else []
    stopped = False
    if film is not None and film.findings:
        findings += film.findings
        problems.insert(0, film.problem)
        stopped = True
    elif seconds is None:
        findings.append("time_unknown")
    elif not READING_WINDOW[0] <= seconds <= READING_WINDOW[1]:
        findings.append("outside_window")
        problems.insert(0, f"Read {seconds:.0f} seconds after the drop: the final colour is read after 60 to 120.")
        stopped = True
    if kit.discard is not None and datetime.now(UTC).date() > kit.discard:
        findings.append("kit_expired")
        problems.insert(0, f"The kit was to be discarded on {kit.discard}: repeat with a fresh one.")
        stopped = True
    return Judgement(
        Verdict.INCONCLUSIVE if stopped else judgement.verdict,
        judgement.matches,
        () if stopped else judgement.consistent,
        () if stopped else judgement.excluded,
        tuple(findings),
        " ".join(problems),
    )


def _refusal(refused: Refused, kit: Kit, started: float, measured: bool) -> ColourTestRead:
    card = _card(refused.quality, measured) if refused.quality is not None else None
    return ColourTestRead(
        verdict="inconclusive", findings=[refused.code], problem=str(refused), card=card, **_known(kit, started)
    )


def _known(kit: Kit, started: float) -> dict[str, Any]:
    test = known_tests().get(kit.reagent)
    return {
        "reagent": kit.reagent,
        "reagent_name": test.name if test is not None else "",
        "step": kit.step,
        "test": kit.test,
        "kit_lot": kit.lot,
        "discard_date": kit.discard,
        "engine": engine(),
        "milliseconds": round((time.perf_counter() - started) * 1000, 1),
    }


def _card(quality: Quality, measured: bool) -> ReferenceCard:
    return ReferenceCard(
        measured=measured,
        markers=quality.located.markers,
        resolution=round(quality.located.resolution, 2),
        residual_median=_rounded(quality.median),
        residual_p95=_rounded(quality.p95),
        unevenness=_rounded(quality.unevenness),
        bits=16 if quality.bits == 16 else 8,
    )


def _rounded(value: float | None) -> float | None:
    return round(value, 3) if value is not None else None


def _lab(lab: Array) -> tuple[float, float, float]:
    return round(float(lab[0]), 2), round(float(lab[1]), 2), round(float(lab[2]), 2)
