"""``edge-agent calibrate camera``: draw a camera's zones, lines and masks into its live picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_agent.cli.calibrate.device import find_device
from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, console, end_by_signals, errors

if TYPE_CHECKING:
    from drivers.cctv.settings import WatchSettings
    from edge_agent.cli.calibrate.page.feed import Feed
    from edge_agent.cli.calibrate.page.shapes import Shapes


def camera(
    name: Annotated[str, typer.Argument(help="Name of the camera in the configuration.", show_default=False)],
    picture: Annotated[
        Path | None,
        typer.Option(help="Save the picture with zones, lines and masks here instead, and end.", show_default=False),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, max=600, help="Seconds for the picture that is saved.")] = 15.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0 takes a free one.")] = 0,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw the zones, lines and masks of a camera into its live picture, on a page in a browser.

    The page is served on this computer only, until Done is pressed there or Ctrl-C here. What is saved there lands in
    the device's file, of which everything else stays, and the version before is kept beside it. The agent takes it up
    with `systemctl reload edge-agent`. From another computer: ssh -L PORT:127.0.0.1:PORT.

    Exit codes: 0 done, 1 the configuration has mistakes, 2 wrong arguments, 3 the camera does not answer (--picture).

    Examples:

      sudo edge-agent calibrate camera gate

      sudo edge-agent calibrate camera gate --picture /tmp/gate.png
    """
    from drivers.cctv.settings import WatchSettings  # noqa: PLC0415  (not needed for --help)
    from edge_agent.cli.calibrate.page.file import FileRefusedError, file_of  # noqa: PLC0415
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415

    prepare_environment()
    device = find_device(name, config).settings
    settings: Any = device.settings
    if not isinstance(settings, WatchSettings):
        errors.print(f"edge-agent calibrate: {name} is no camera that is watched", markup=False)
        raise typer.Exit(Exit.USAGE)
    try:
        file = file_of(name, config)
    except FileRefusedError as error:
        errors.print(f"edge-agent calibrate: {error}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    end_by_signals()
    feed = _feed(device, config)
    feed.start()
    try:
        if picture is not None:
            _save_picture(feed, settings, picture, timeout)
        else:
            _serve(name, feed, file, config, port)
    finally:
        feed.stop()


def _feed(device: Any, config: Path) -> Feed:
    from drivers.cctv.watch import scene  # noqa: PLC0415
    from edge_agent.cli.calibrate.page.feed import Feed  # noqa: PLC0415
    from edge_agent.config.secrets import Secrets  # noqa: PLC0415
    from edge_agent.registry import make  # noqa: PLC0415

    driver: Any = make(device.name, device.driver, device.settings, Secrets(config.absolute()).text)
    return Feed(driver.pictures, scene(device.settings), device.settings.analysis_height)


def _serve(name: str, feed: Feed, file: Path, config: Path, port: int) -> None:
    from edge_agent.cli.calibrate.page import file as files  # noqa: PLC0415
    from edge_agent.cli.calibrate.page.server import Page  # noqa: PLC0415
    from edge_agent.cli.calibrate.page.shapes import edited, shapes_in  # noqa: PLC0415

    def shapes() -> Shapes:
        return shapes_in(file.read_text("utf-8-sig"))

    def keep(drawn: Shapes) -> str:
        old = file.read_bytes()
        try:
            files.replace(file, old, edited(old.decode("utf-8-sig"), drawn), config)
        except files.FileRefusedError as error:
            raise ValueError(str(error)) from None
        return f"Saved into {file}; the version before is {files.before(file)}."

    try:
        page = Page(name, feed, shapes, keep, port)
    except OSError as error:
        errors.print(f"edge-agent calibrate: the page cannot be served on port {port} ({error.strerror})")
        raise typer.Exit(Exit.USAGE) from None
    try:
        print(page.address, flush=True)
        errors.print("Open this address in a browser on this computer; Done there or Ctrl-C here ends it.")
        while not page.done.wait(0.5):
            pass
    except KeyboardInterrupt:
        errors.print("ended")
    finally:
        page.close()


def _save_picture(feed: Feed, settings: WatchSettings, picture: Path, timeout: float) -> None:
    from edge_agent.cli.calibrate.page.overlay import overlay  # noqa: PLC0415
    from edge_agent.driver import DriverError  # noqa: PLC0415
    from edge_agent.processing.images import encode  # noqa: PLC0415

    try:
        image = feed.wait(timeout)
    except DriverError as error:
        errors.print(f"edge-agent calibrate: {error}", markup=False)
        raise typer.Exit(Exit.UNREACHABLE) from None
    try:
        picture.write_bytes(encode(overlay(image, settings), picture.suffix))
    except (OSError, ValueError) as error:
        errors.print(f"edge-agent calibrate: {picture} cannot be written ({error})", markup=False)
        raise typer.Exit(Exit.USAGE) from None
    for figure, value in feed.figures().items():
        console.print(f"{figure}: {value:.3g}")
    console.print(f"saved: {picture}", markup=False)
