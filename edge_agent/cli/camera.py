"""``edge-agent camera NAME``: turn a camera to one of its presets, and back home."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, console, end_by_signals, errors

if TYPE_CHECKING:
    from drivers.cctv.device import Profile
    from drivers.cctv.soap import Session


class Action(StrEnum):
    """What to do with the camera."""

    GOTO = "goto"
    PRESETS = "presets"


def camera(
    name: Annotated[str, typer.Argument(help="Name of the camera in the configuration.")],
    action: Annotated[Action, typer.Argument(help="goto a preset, or show the presets.")],
    preset: Annotated[str, typer.Argument(help="With goto: name of the preset, or `home`.", show_default=False)] = "",
    back_after: Annotated[
        float, typer.Option(min=0, max=86400, help="Seconds after which it goes back home; 0 leaves it there.")
    ] = 0.0,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Turn an ONVIF camera to one of its presets, and after some time back home; Ctrl-C goes home at once.

    The agent may run meanwhile. A camera with `home` in its file is sent back there by the agent, too.

    Exit codes: 0 done, 1 the camera has no such preset or the configuration has mistakes, 2 wrong arguments, 3 it does
    not answer.

    Examples:

      edge-agent camera gate presets

      edge-agent camera gate goto queue --back-after 60

      edge-agent camera gate goto home
    """
    if (action is Action.GOTO) != bool(preset):
        errors.print(f"edge-agent camera: {action} goes {'with' if action is Action.GOTO else 'without'} a preset")
        raise typer.Exit(Exit.USAGE)
    end_by_signals()
    with _Talk(name, config) as (session, profile, home):
        if action is Action.PRESETS:
            _show(session, profile)
        else:
            _goto(session, profile, preset, home, back_after)


def _goto(session: Session, profile: Profile, preset: str, home: str, back_after: float) -> None:
    from drivers.cctv import device  # noqa: PLC0415  (not needed for --help)

    def go_home() -> None:
        if home:
            device.goto(session, profile, device.find_preset(session, profile, home))
        else:
            device.goto_home(session, profile)

    if preset == "home":
        go_home()
        return
    device.goto(session, profile, device.find_preset(session, profile, preset))
    if back_after:
        try:
            with errors.status(f"looking at {preset} for {back_after:g} s"):
                time.sleep(back_after)
        except KeyboardInterrupt:
            errors.print("going home")
        finally:
            go_home()


def _show(session: Session, profile: Profile) -> None:
    from drivers.cctv import device  # noqa: PLC0415  (not needed for --help)

    known = device.presets(session, profile)
    at = device.position(session, profile)
    table = Table("preset", "token", "", box=None)
    for preset in known:
        here = at is not None and preset.position is not None and device.near(at, preset.position)
        table.add_row(preset.name, preset.token, "it looks here" if here else "")
    console.print(table)
    if not known:
        raise typer.Exit(Exit.FAILED)


class _Talk:
    """A conversation with the camera that the configuration names; what goes wrong in it ends the command."""

    def __init__(self, name: str, config: Path) -> None:
        self._name, self._config = name, config

    def __enter__(self) -> tuple[Session, Profile, str]:
        from drivers.cctv import device  # noqa: PLC0415
        from drivers.cctv.http import Peer  # noqa: PLC0415
        from drivers.cctv.onvif import OnvifCamera  # noqa: PLC0415
        from drivers.cctv.soap import Session  # noqa: PLC0415
        from edge_agent.cli.calibrate.device import find_device  # noqa: PLC0415
        from edge_agent.config.secrets import SecretError, Secrets  # noqa: PLC0415
        from edge_agent.driver import DriverError  # noqa: PLC0415
        from edge_agent.registry import make  # noqa: PLC0415

        found = find_device(self._name, self._config, kind="cctv.onvif").settings
        driver = make(found.name, found.driver, found.settings, Secrets(self._config.absolute()).text)
        assert isinstance(driver, OnvifCamera)
        settings, account = driver.settings, driver.account()
        try:
            session = Session(Peer(settings.host, settings.port, account, settings.timeout), account)
            known = device.profiles(session)
            turning = [profile for profile in known if profile.ptz] or known
            if not session.has("ptz") or not turning:
                raise DriverError("The camera cannot be turned: it has no PTZ service.")
        except (DriverError, SecretError) as error:
            self._end(error)
        return session, turning[0], settings.home

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        from edge_agent.driver import DriverError  # noqa: PLC0415

        if isinstance(error, DriverError):
            self._end(error)

    def _end(self, error: Exception) -> None:
        from drivers.cctv.http import UnreachableError  # noqa: PLC0415

        errors.print(f"edge-agent camera: {error}", markup=False)
        raise typer.Exit(Exit.UNREACHABLE if isinstance(error, UnreachableError) else Exit.FAILED) from None
