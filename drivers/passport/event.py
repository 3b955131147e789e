"""From a parsed machine readable zone to the event that every document reader publishes."""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.events.passport import Correction, PassportFields, PassportRead, Source, Verdict
from edge_agent.processing.mrz.result import Fields, Mrz
from edge_agent.processing.mrz.states import STATES


def passport_read(
    mrz: Mrz,
    *,
    source: Source,
    engine: str,
    milliseconds: float,
    confidence: float | None = None,
    corrections: Sequence[Correction] = (),
    doubt: str = "",
) -> PassportRead:
    """The event of one reading.

    ``confidence`` is the probability that every character is right. ``doubt`` is why the device itself is not sure
    (glare, too small, cut off), in an officer's words: it keeps a reading whose checks hold from being called valid.
    """
    valid = mrz.valid and not doubt
    return PassportRead(
        verdict=Verdict.VALID if valid else Verdict.DOUBTFUL if mrz.format else Verdict.UNREADABLE,
        valid=valid,
        source=source,
        format=mrz.format,
        lines=list(mrz.lines),
        fields=_fields(mrz.fields),
        checks={name: outcome.value for name, outcome in mrz.checks.items()},
        findings=[finding.value for finding in mrz.findings],
        problem="; ".join(filter(None, (doubt, mrz.problem if mrz.lines or not doubt else ""))),
        confidence=confidence,
        corrections=list(corrections),
        engine=engine,
        milliseconds=milliseconds,
    )


def _fields(fields: Fields) -> PassportFields:
    texts = {name: getattr(fields, name) for name in fields.__dataclass_fields__}
    texts |= {name: str(texts[name]) for name in ("birth_date", "expiry_date", "issue_date") if texts[name] is not None}
    return PassportFields(
        **texts | {"sex": fields.sex if fields.sex in {"M", "F", "X", ""} else None},
        issuing_state_name=STATES.get(fields.issuing_state or ""),
        nationality_name=STATES.get(fields.nationality or ""),
    )
