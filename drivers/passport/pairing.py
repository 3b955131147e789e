"""One event of a document that several devices see within a few seconds, or one device twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from edge_agent.driver import Observation
from edge_agent.events.passport import Disagreement, PassportRead, Source, Verdict
from edge_agent.processing.mrz.agreement import Difference, differences, same_document
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.result import Mrz


@dataclass(slots=True)
class _Held:
    """Readings of one document, in the order in which they came."""

    since: float
    observations: list[Observation] = field(default_factory=list)
    reads: list[PassportRead] = field(default_factory=list)
    zones: list[Mrz] = field(default_factory=list)

    def add(self, observation: Observation, read: PassportRead, zone: Mrz) -> None:
        self.observations.append(observation)
        self.reads.append(read)
        self.zones.append(zone)


class Pairing:
    """Holds each reading back for a while, for others of the same document. Times are of any clock, in seconds.

    ``sources`` are the devices at the desk: a document that all of them have seen is not held any longer.
    """

    def __init__(self, pair_seconds: float, sources: frozenset[Source]) -> None:
        self._pair_seconds = pair_seconds
        self._sources = sources
        self._held: list[_Held] = []
        self._others: deque[Observation] = deque()

    def add(self, observation: Observation, now: float) -> None:
        """Take an observation. What is no reading of a document is not held back."""
        read = observation.data
        if not isinstance(read, PassportRead) or read.verdict is Verdict.UNREADABLE:
            self._others.append(observation)
            return
        zone = parse(read.lines)
        held = next((held for held in self._held if any(same_document(zone, other) for other in held.zones)), None)
        if held is None:
            held = _Held(now)
            self._held.append(held)
        held.add(observation, read, zone)

    def release(self, now: float) -> Iterator[Observation]:
        """Let go of what need not be held any longer; of all of it at the time infinity."""
        while self._others:
            yield self._others.popleft()
        for held in list(self._held):
            complete = {read.source for read in held.reads} >= self._sources
            if complete or now - held.since >= self._pair_seconds:
                self._held.remove(held)
                yield merged(held.observations) if len(held.observations) > 1 else held.observations[0]


def merged(observations: list[Observation]) -> Observation:
    """One observation of several readings of a document; its devices are told once the one event is durable."""
    data = [(each, each.data) for each in observations if isinstance(each.data, PassportRead)]
    data.sort(key=lambda pair: not pair[1].valid)
    return Observation(
        merged_read([read for _, read in data]),
        tuple(evidence for each in observations for evidence in each.evidence),
        acknowledge=partial(_acknowledge, observations),
        key=next((each.key for each in observations if each.key is not None), None),
        observed=min(each.observed for each in observations),
    )


def merged_read(reads: list[PassportRead]) -> PassportRead:
    """The first of some readings of a document, with what the others say instead.

    It stays valid only if a check digit settles each disagreement in its favour.
    """
    first = reads[0]
    found = differences([read.lines for read in reads], valid=[read.valid for read in reads])
    open_ones = [difference for difference in found if not difference.settled]
    valid = first.valid and not open_ones
    return first.model_copy(
        update={
            "verdict": Verdict.VALID if valid else Verdict.DOUBTFUL,
            "valid": valid,
            "sources": [read.source for read in reads],
            "disagreements": [Disagreement(line=d.line, column=d.column, values=list(d.values)) for d in found],
            "problem": "; ".join(filter(None, (first.problem, _said(open_ones)))),
        }
    )


def _said(open_ones: list[Difference]) -> str:
    if not open_ones:
        return ""
    places = ", ".join(f"line {each.line} character {each.column}" for each in open_ones[:3])
    more = f" and {len(open_ones) - 3} more" if len(open_ones) > 3 else ""
    return f"the readings of this document disagree at {places}{more}: compare with the document"


def _acknowledge(observations: list[Observation]) -> None:
    for observation in observations:
        if observation.acknowledge is not None:
            observation.acknowledge()
