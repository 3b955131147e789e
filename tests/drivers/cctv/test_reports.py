"""From what cameras call things to what we call them; and nothing that they send breaks it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from drivers.cctv.discovery import read
from drivers.cctv.reports import Notice, Properties, notice

NOW = timedelta(0)


def message(operation: str = "Changed", source: dict[str, str] | None = None, **data: str) -> Any:
    root = etree.Element("{http://www.onvif.org/ver10/schema}Message", UtcTime="2026-11-25T12:00:00Z")
    root.set("PropertyOperation", operation)
    for part, items in (("Source", source or {}), ("Data", data)):
        parent = etree.SubElement(root, f"{{http://www.onvif.org/ver10/schema}}{part}")
        for name, value in items.items():
            etree.SubElement(parent, "{http://www.onvif.org/ver10/schema}SimpleItem", Name=name, Value=value)
    return root


@pytest.mark.parametrize(
    ("topic", "data", "report", "active"),
    [
        ("tns1:VideoSource/MotionAlarm", {"State": "true"}, "motion", True),
        ("tns1:RuleEngine/CellMotionDetector/Motion", {"IsMotion": "false"}, "motion", False),
        ("tns1:RuleEngine/TamperDetector/Tamper", {"IsTamper": "1"}, "tamper", True),
        ("tns1:VideoSource/GlobalSceneChange/ImagingService", {"State": "true"}, "scene_change", True),
        ("tns1:VideoSource/ImageTooDark/ImagingService", {"State": "true"}, "dark", True),
        ("tns1:VideoSource/ImageTooBlurry/AnalyticsService", {"State": "0"}, "blurry", False),
        ("tns1:Device/Trigger/DigitalInput", {"LogicalState": "true"}, "digital_input", True),
        ("tns1:Device/Trigger/Relay", {"LogicalState": "inactive"}, "relay", False),
        ("tns1:Device/tnsaxis:IO/Port", {"state": "1"}, "other", True),
        ("tns1:RuleEngine/LineDetector/Crossed", {"ObjectId": "7f"}, "line_crossed", None),
        ("tns1:RuleEngine/FieldDetector/ObjectsInside", {"IsInside": "true"}, "in_field", True),
        ("tns1:Device/HardwareFailure/StorageFailure", {"Failed": "true"}, "hardware_failure", True),
        ("tns1:UserAlarm/tnshik:PlateNumber", {"Plate": "01KG123ABC"}, "other", None),
    ],
)
def test_topics_of_the_standard_and_of_makers(topic: str, data: dict[str, str], report: str, active: bool) -> None:
    found = notice(topic, message(**data), NOW).report
    assert (found.report, found.active) == (report, active)
    assert ":" not in found.topic
    assert "01KG123ABC" not in found.model_dump_json()


def test_the_time_is_corrected_by_how_far_the_clock_of_the_camera_is_off() -> None:
    found = notice("tns1:VideoSource/MotionAlarm", message(State="true"), timedelta(hours=2)).report
    assert found.said == datetime(2026, 11, 25, 10, tzinfo=UTC)


def test_the_source_is_the_nearest_there_is() -> None:
    source = {"VideoSourceConfigurationToken": "1", "VideoAnalyticsConfigurationToken": "1", "Rule": "Yard"}
    assert notice("a/b", message(source=source, State="true"), NOW).report.source == "Yard"


def test_only_changes_are_news_and_each_source_has_its_own() -> None:
    known = Properties()

    def told(state: str, operation: str = "Changed", source: str = "1") -> bool:
        given_source = {"Source": source}
        return known.news(notice("a/Motion", message(operation, given_source, State=state), NOW)) is not None

    assert not told("false", "Initialized")
    assert told("true")
    assert not told("true")
    assert not told("true", "Initialized")
    assert told("true", "Initialized", source="2")
    assert told("false", "Initialized")
    assert not told("false")
    assert not told("true", "Deleted")


@given(
    st.text(max_size=300), st.dictionaries(st.sampled_from(["State", "x"]), st.sampled_from(["", "true", "é\u202e"]))
)
def test_whatever_a_camera_calls_its_events_makes_a_report(topic: str, data: dict[str, str]) -> None:
    found: Notice = notice(topic, message(**data), NOW)
    assert found.report.topic.isprintable()


@given(st.binary(max_size=400))
def test_whatever_comes_to_the_port_of_discovery_is_no_camera(data: bytes) -> None:
    assert read(data, "10.0.0.1", "id") == []


ANSWER = """<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:d="d" xmlns:w="w"><e:Header>
<w:RelatesTo>uuid:id</w:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:1
</w:Address></w:EndpointReference><d:Scopes>onvif://www.onvif.org/name/Gate%20%E2%80%AE1</d:Scopes>
<d:XAddrs>{}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"""


@pytest.mark.parametrize(
    ("addresses", "port"),
    [
        ("http://10.0.0.9/onvif/device_service", 80),
        ("http://192.168.0.1:8000/x http://10.0.0.1:8899/onvif", 8899),
        ("http://evil.example:81/x", 81),
        ("http://[fe80::1]:8080/x", 8080),
        ("", 80),
    ],
)
def test_a_camera_is_where_its_answer_came_from(addresses: str, port: int) -> None:
    (found,) = read(ANSWER.format(addresses).encode(), "10.0.0.1", "id")
    assert (found.endpoint, found.host, found.port) == ("urn:uuid:1", "10.0.0.1", port)
    assert found.scopes["name"] == "Gate 1"
    assert read(ANSWER.format(addresses).encode(), "10.0.0.1", "another") == []


@pytest.mark.parametrize("addresses", ["http://[::1", "http://10.0.0.1:99999/x", "http://10.0.0.1:x/"])
def test_an_address_that_is_none_is_no_camera(addresses: str) -> None:
    assert read(ANSWER.format(addresses).encode(), "10.0.0.1", "id") == []
