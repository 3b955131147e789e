"""What cameras report by themselves, from the topics of ONVIF to our words.

Sources: ONVIF Core Specification, section 9 (event handling, property events), Imaging, Analytics and Device IO service
specifications, annexes on events. Makers add topics of their own: what is not known is passed on as ``other``, never
with its values, which may name a person or a number plate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from edge_agent.events.cctv import CctvDevice, Report

_KNOWN: Final[tuple[tuple[str, Report], ...]] = (
    (
        r"(^|/)MotionAlarm$|CellMotionDetector/Motion|MotionRegionDetector/Motion|(^|/)MotionDetector|PeopleDetect",
        "motion",
    ),
    (r"Tamper", "tamper"),
    (r"GlobalSceneChange", "scene_change"),
    (r"ImageTooBlurry", "blurry"),
    (r"ImageTooDark", "dark"),
    (r"ImageTooBright", "bright"),
    (r"SignalLoss|VideoLoss|SignalLost", "signal_loss"),
    (r"LineDetector|LineCounter|LineCross", "line_crossed"),
    (r"FieldDetector|ObjectsInside|Intrusion|LoiteringDetector", "in_field"),
    (r"DigitalInput", "digital_input"),
    (r"Trigger/Relay$|(^|/)Relay$|RelayOutput", "relay"),
    (r"DetectedSound|AudioAnalytics|AudioDetection", "sound"),
    (r"HardwareFailure|Failure$|TemperatureCritical", "hardware_failure"),
)
_STATES: Final = ("State", "IsMotion", "IsTamper", "LogicalState", "IsInside", "IsSoundDetected", "Failed", "Critical")
_SOURCES: Final = ("InputToken", "RelayToken", "Rule", "Source", "VideoSourceToken", "VideoSourceConfigurationToken")
_TRUE: Final = {"true", "1", "active", "on"}
_FALSE: Final = {"false", "0", "inactive", "off"}


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification: the report, and whether a property was told as it stands, changed, or went."""

    report: CctvDevice
    operation: str


def notices(answer: Any, offset: timedelta) -> Iterator[Notice]:
    """The notifications in the answer of PullMessages; ``offset`` is the camera's clock less ours."""
    for message in getattr(answer, "NotificationMessage", None) or ():
        topic = getattr(getattr(message, "Topic", None), "_value_1", None)
        content = getattr(getattr(message, "Message", None), "_value_1", None)
        if not isinstance(topic, str) or not hasattr(content, "iterfind"):
            continue
        yield notice(topic, content, offset)


def notice(topic: str, message: Any, offset: timedelta) -> Notice:
    """One notification: its topic, and its ``tt:Message`` as an lxml element."""
    plain = "/".join(part.rpartition(":")[2] for part in topic.strip().split("/"))
    report = next((word for pattern, word in _KNOWN if re.search(pattern, plain)), "other")
    items = _items(message, "Data")
    named = [items[name] for name in _STATES if name in items]
    active = next((state for value in (named or items.values()) if (state := _state(value)) is not None), None)
    sources = _items(message, "Source")
    source = next((sources[name] for name in _SOURCES if sources.get(name)), next(iter(sources.values()), ""))
    operation = message.get("PropertyOperation", "")
    return Notice(
        CctvDevice(
            report=report,
            active=active,
            topic=_short(plain, 200),
            source=_short(source, 120),
            said=_said(message.get("UtcTime", ""), offset),
            since_before=operation == "Initialized",
        ),
        operation,
    )


class Properties:
    """What was reported last, so that only changes are events, also across a camera's reboot."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    def news(self, notice: Notice) -> CctvDevice | None:
        """The report, if it is one; not what was known, nor that something which was never seen is not so."""
        report = notice.report
        key = (report.topic, report.source)
        if notice.operation == "Deleted":
            self._known.pop(key, None)
            return None
        if report.active is None:
            return None if notice.operation == "Initialized" else report
        before = self._known.get(key, False if report.since_before else None)
        if len(self._known) < 1000 or key in self._known:
            self._known[key] = report.active
        return report if report.active != before else None


def _items(message: Any, part: str) -> dict[str, str]:
    found = message.iterfind(f"{{*}}{part}/{{*}}SimpleItem")
    return {item.get("Name", ""): item.get("Value", "") for item in found}


def _state(value: str) -> bool | None:
    word = value.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _short(text: str, longest: int) -> str:
    return "".join(character for character in text if character.isprintable())[:longest]


def _said(text: str, offset: timedelta) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC) - offset
    except (ValueError, OverflowError):
        return None
