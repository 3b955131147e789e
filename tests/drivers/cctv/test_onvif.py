"""The conversation with a camera that behaves as real ones do, on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from drivers.cctv import control as conversation
from drivers.cctv import device
from drivers.cctv.control import Control, Wishes
from drivers.cctv.http import Account, Peer, RefusedError, UnreachableError
from drivers.cctv.soap import FaultError, Session
from edge_agent.driver import DriverError
from edge_agent.events.cctv import CctvDevice
from edge_agent.simulate.camera import Camera, Mood

MOTION = "tns1:RuleEngine/CellMotionDetector/Motion"
ACCOUNT = Account("admin", lambda: "s3cret")


@pytest.fixture
def camera() -> Iterator[Camera]:
    with Camera(user="admin", password="s3cret") as camera:
        yield camera


def session(camera: Camera, account: Account | None = ACCOUNT, seconds: float = 3.0) -> Session:
    return Session(Peer("127.0.0.1", camera.port, account, seconds), account)


@pytest.mark.parametrize("hours", [-26, 0, 26])
def test_a_camera_whose_clock_is_wrong_accepts_the_digest(camera: Camera, hours: int) -> None:
    camera.skew = timedelta(hours=hours)
    talk = session(camera)
    assert abs(talk.offset - camera.skew) < timedelta(seconds=3)
    assert device.identity(talk).maker == "edge-agent"


def test_a_wrong_password_and_none_are_told_as_such(camera: Camera) -> None:
    with pytest.raises(RefusedError, match="refuses the account admin: look at user and password"):
        session(camera, Account("admin", lambda: "wrong"))
    with pytest.raises(RefusedError, match="wants an account"):
        session(camera, None)


def test_credentials_go_to_the_host_that_we_know_whatever_the_camera_reports(camera: Camera) -> None:
    with Camera() as stranger:
        camera.advertised = f"127.0.0.2:{stranger.port}"
        camera.stream = "rtsp://10.0.0.1:5554/live?x=1"
        talk = session(camera)
        found = device.profiles(talk)
        small = device.choose(found, "", height=360)
        assert (small.token, small.width, small.height) == ("sub", 640, 360)
        assert device.stream_address(talk, found[0]) == "rtsp://127.0.0.1:5554/live?x=1"
        assert device.snapshot_path(talk, small) == "/snapshot.jpg"
        conversation.Subscription(talk).close()
        assert stranger.calls == []


@pytest.mark.parametrize(
    ("mood", "error"),
    [
        (Mood.MUTE, UnreachableError),
        (Mood.TRICKLE, UnreachableError),
        (Mood.HALF, UnreachableError),
        (Mood.JUNK, FaultError),
        (Mood.FAULT, FaultError),
    ],
)
def test_a_camera_that_answers_slowly_half_or_with_faults_ends_the_wait(
    camera: Camera, mood: Mood, error: type[DriverError]
) -> None:
    camera.mood = mood
    begun = time.monotonic()
    with pytest.raises(error):
        session(camera, seconds=0.5)
    assert time.monotonic() - begun < 10


def test_a_password_is_never_in_what_is_said(camera: Camera) -> None:
    for mood in Mood:
        camera.mood = mood
        with pytest.raises(DriverError) as raised:
            session(camera, Account("admin", lambda: "p@ss:w/rd"), seconds=0.3)
        assert "p@ss" not in str(raised.value)


def test_presets_are_found_by_name_and_the_camera_turns(camera: Camera) -> None:
    talk = session(camera)
    main = device.profiles(talk)[0]
    gate = device.find_preset(talk, main, "GATE")
    device.goto(talk, main, gate)
    at = device.position(talk, main)
    assert at is not None
    assert gate.position is not None
    assert device.near(at, gate.position)
    with pytest.raises(DriverError, match="no preset roof; it has gate, queue"):
        device.find_preset(talk, main, "roof")
    device.goto_home(talk, main)
    assert device.position(talk, main) == (0.0, 0.0, 0.0)


def test_a_password_with_every_character_stays_one_in_an_address() -> None:
    address = device.with_account("rtsp://10.0.0.1:554/a?b", Account("us@er", lambda: "p:/@ ?#%"))
    assert address == "rtsp://us%40er:p%3A%2F%40%20%3F%23%25@10.0.0.1:554/a?b"


# -- the conversation that goes on ------------------------------------------------------------------------------------


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Control]]:
    """Starts conversations, and ends them with the test."""
    monkeypatch.setattr(conversation, "PULL_SECONDS", 0.5)
    monkeypatch.setattr(conversation, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(conversation, "LOOK_SECONDS", 0.2)
    running: list[Control] = []

    def start(camera: Camera, **wishes: Any) -> Control:
        wanted = replace(Wishes("127.0.0.1", camera.port, 1.0), **wishes)
        running.append(Control(wanted, ACCOUNT))
        running[-1].start()
        return running[-1]

    yield start
    for control in running:
        control.stop()


def until(condition: Callable[[], Any], what: str, seconds: float = 15.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def report(control: Control) -> CctvDevice:
    found = until(control.take, "a report")
    assert isinstance(found, CctvDevice)
    return found


@pytest.mark.slow
def test_what_the_camera_reports_comes_once_and_normalized(camera: Camera, talk: Callable[..., Control]) -> None:
    camera.skew = timedelta(hours=2)
    control = talk(camera)
    until(lambda: camera.subscriptions, "a subscription")
    camera.notify(MOTION, True, item="IsMotion")
    found = report(control)
    assert (found.report, found.active, found.source) == ("motion", True, "VideoSource_1")
    assert found.topic == "RuleEngine/CellMotionDetector/Motion"
    assert found.said is not None
    assert abs(found.said.timestamp() - time.time()) < 5
    camera.notify(MOTION, True, item="IsMotion")  # no change
    camera.notify("tns1:Device/Trigger/Relay", True, source="RelayOutputToken_0", item="LogicalState")
    found = report(control)
    assert (found.report, found.active, found.source) == ("relay", True, "RelayOutputToken_0")
    control.stop()
    assert camera.subscriptions == {}


@pytest.mark.slow
@pytest.mark.parametrize("renews", [True, False])
def test_a_subscription_is_renewed_or_made_anew(
    camera: Camera, talk: Callable[..., Control], monkeypatch: pytest.MonkeyPatch, renews: bool
) -> None:
    monkeypatch.setattr(conversation, "LIFETIME_SECONDS", 1.0)
    camera.renews = renews
    control = talk(camera)
    until(lambda: camera.calls.count("Renew") >= 2, "a second renewal")
    made = "CreatePullPointSubscription"
    if renews:
        assert camera.calls.count(made) == 1
    else:  # one at the start, and one for each renewal that was refused
        until(lambda: camera.calls.count(made) == camera.calls.count("Renew") + 1, "a new subscription")
    camera.notify(MOTION, True, item="IsMotion")
    assert report(control).report == "motion"
    assert len(camera.subscriptions) == 1


@pytest.mark.slow
def test_a_camera_that_reboots_is_heard_again_and_what_lasts_is_not_told_twice(talk: Callable[..., Control]) -> None:
    with Camera(user="admin", password="s3cret") as camera:
        control = talk(camera)
        until(lambda: camera.subscriptions, "a subscription")
        camera.notify(MOTION, True, item="IsMotion")
        assert report(control).active is True
    until(lambda: "cannot be reached" in control.trouble, "a word about the camera that is gone")
    states = {(MOTION, "VideoSource_1"): ("IsMotion", True), ("tns1:VideoSource/SignalLoss", "1"): ("State", True)}
    with Camera(user="admin", password="s3cret", port=camera.port, states=states) as camera:
        found = report(control)
        assert (found.report, found.since_before) == ("signal_loss", True)
        until(lambda: control.trouble == "", "the end of the trouble")
        camera.notify(MOTION, False, item="IsMotion")
        assert (again := report(control)).report == "motion"
        assert again.active is False


@pytest.mark.slow
def test_a_camera_that_forgets_the_subscription_gets_another(camera: Camera, talk: Callable[..., Control]) -> None:
    control = talk(camera)
    until(lambda: camera.subscriptions, "a subscription")
    camera.subscriptions.clear()
    until(lambda: camera.subscriptions, "another subscription")
    camera.notify(MOTION, True, item="IsMotion")
    assert report(control).report == "motion"


@pytest.mark.slow
def test_a_camera_that_stalls_is_told_and_heard_again(camera: Camera, talk: Callable[..., Control]) -> None:
    control = talk(camera)
    until(lambda: camera.subscriptions, "a subscription")
    camera.mood = Mood.MUTE
    until(lambda: "does not answer in time" in control.trouble, "a word about it")
    camera.mood = Mood.WELL
    camera.notify(MOTION, True, item="IsMotion")
    assert report(control).report == "motion"
    assert control.trouble == ""


@pytest.mark.slow
def test_a_camera_with_another_address_is_found_by_its_endpoint_reference(talk: Callable[..., Control]) -> None:
    with Camera(user="admin", password="s3cret", discoverable=True) as camera:
        control = talk(camera, endpoint=camera.endpoint, interface="127.0.0.1")
        until(lambda: camera.subscriptions, "a subscription")
        old = camera.port
    with Camera(user="admin", password="s3cret", discoverable=True, endpoint=camera.endpoint) as moved:
        assert moved.port != old
        until(lambda: moved.subscriptions, "a subscription at the new address", 30)
        moved.notify(MOTION, True, item="IsMotion")
        assert report(control).report == "motion"


@pytest.mark.slow
def test_a_camera_that_looks_elsewhere_is_sent_back_home(camera: Camera, talk: Callable[..., Control]) -> None:
    camera.position = camera.presets["1"][1]
    control = talk(camera, home="gate", home_seconds=1.0)
    until(lambda: "GetStatus" in camera.calls, "a look at the position")
    assert not control.away
    camera.position = (0.9, 0.9, 0.0)
    until(lambda: control.away, "the camera to be called away")
    until(lambda: not control.away, "its way back")
    assert camera.position == camera.presets["1"][1]
