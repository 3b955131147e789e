"""``edge-agent watch``: what posts publish, as it comes."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from types import FrameType

    from edge_agent.cli.subscriber import Subscriber
    from edge_agent.config.models import BrokerSettings
    from edge_agent.config.secrets import Secrets

DEFAULT_BROKER = "127.0.0.1:1883"
_NAME = r"[a-z0-9]+(-[a-z0-9]+)*"


def watch(
    broker: Annotated[
        str | None,
        typer.Option("--broker", "-b", help=f"HOST:PORT; that of --config, else {DEFAULT_BROKER}, if left out."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", envvar="EDGE_AGENT_CONFIG", help="Folder of a post: take its broker and its name."
        ),
    ] = None,
    post: Annotated[str | None, typer.Option("--post", help="Only this post, e.g. kz/kordai.")] = None,
    device: Annotated[str | None, typer.Option("--device", "-d", help="Show only events of this device.")] = None,
    username: Annotated[str | None, typer.Option(help="For the broker.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File that holds the password.")] = None,
    ca: Annotated[Path | None, typer.Option("--ca", help="CA certificate in PEM: connect with TLS.")] = None,
    receipt: Annotated[
        str | None,
        typer.Option("--receipt", help="Be a consumer of this name: confirm events, ask again for missing ones."),
    ] = None,
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="End after so many events.")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", "-s", min=0, help="End after so long.")] = None,
    tally: Annotated[
        Path | None, typer.Option("--tally", help="Write the final counts to this file, as JSON.", show_default=False)
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Show all data, personal data too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what posts publish, as it comes: events, and the state of agents and devices.

    Each event's number is checked: what is missing or comes twice is counted. Nothing personal is shown without --full.

    With --json every message is a line {"topic", "received", "payload"}, personal data included, and the last line is
    {"summary": {...}}.

    A --receipt is for trials: it confirms what was printed, from the first event on that this command saw. At a real
    post, let only a system that stores events confirm them.

    Exit codes: 0 ended by Ctrl-C, --count or --seconds, 1 the configuration has mistakes, 2 wrong arguments,
    3 the broker does not answer, or was gone at the end.

    Examples:

      edge-agent watch

      edge-agent watch --broker broker.blo.example:8883 --ca ca.pem --username office --password-file password

      edge-agent watch --post kz/kordai --device lane-1-passport --full

      edge-agent watch --json --count 100 | jq .payload.sequence

      edge-agent watch --receipt trial-office --seconds 60
    """
    from edge_agent.cli.subscriber import Subscriber  # noqa: PLC0415  (paho and pydantic, not needed for --help)
    from edge_agent.config.secrets import SecretError  # noqa: PLC0415
    from edge_agent.daemon.mqtt import BrokerError  # noqa: PLC0415

    settings, secrets, own_post = _settings(broker, config, username, password_file, ca)
    post = post or own_post
    for option, value, pattern in (
        ("--post", post, f"[a-z]{{2}}/{_NAME}"),
        ("--device", device, _NAME),
        ("--receipt", receipt, _NAME),
    ):
        if value is not None and not re.fullmatch(pattern, value):
            _give_up(f"{option} {value}: write it as in its topics, e.g. {_EXAMPLES[option]}", Exit.USAGE)
    try:
        subscriber = Subscriber(settings, secrets, post=post, consumer=receipt)
    except BrokerError as error:
        _give_up(str(error), Exit.UNREACHABLE)
    except SecretError as error:
        _give_up(f"{error}; or name a file with --password-file", Exit.FAILED)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.OK) from None
    _stop_on_signals(subscriber)
    until = None if seconds is None else time.monotonic() + seconds
    try:
        if as_json:
            _print_json(subscriber, count, until, device)
        else:
            _show(subscriber, count, until, device, full=full)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        subscriber.close()
    if tally is not None:
        tally.write_text(json.dumps(subscriber.stream.summary()))
    if subscriber.trouble:
        _give_up(subscriber.trouble, Exit.UNREACHABLE)


_EXAMPLES = {"--post": "kz/kordai", "--device": "lane-1-passport", "--receipt": "blo-almaty"}


def _settings(
    broker: str | None, config: Path | None, username: str | None, password_file: Path | None, ca: Path | None
) -> tuple[BrokerSettings, Secrets, str | None]:
    """Where to connect and with what, and the post of the configuration if there is one."""
    from edge_agent.cli.subscriber import PasswordFile  # noqa: PLC0415
    from edge_agent.config.loader import ConfigError, load  # noqa: PLC0415
    from edge_agent.config.models import BrokerSettings, TlsSettings  # noqa: PLC0415
    from edge_agent.config.secrets import Secrets  # noqa: PLC0415

    own_post = None
    settings = BrokerSettings(host="127.0.0.1", port=1883, timeout=10)
    secrets = Secrets(config or Path())
    if config is not None:
        try:
            agent = load(config).agent
        except ConfigError as error:
            _give_up(f"the configuration has mistakes:\n{error}", Exit.FAILED)
        own_post = f"{agent.post.country}/{agent.post.bcp}"
        settings = agent.broker
    changes: dict[str, object] = {"client_id": None}
    if broker is not None:
        host, colon, port = broker.rpartition(":")
        if not colon or not port.isdecimal() or not 0 < int(port) < 65536 or not host.strip("[]"):
            _give_up(f"--broker {broker}: write HOST:PORT, e.g. {DEFAULT_BROKER}", Exit.USAGE)
        changes |= {"host": host.strip("[]"), "port": int(port)}
    if username is not None:
        changes |= {"username": username, "password": None}
    if password_file is not None:
        if username is None and settings.username is None:
            _give_up("--password-file needs a --username", Exit.USAGE)
        try:
            secrets = PasswordFile(password_file)
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            _give_up(f"--password-file {password_file} cannot be read: {why}", Exit.USAGE)
        changes["password"] = PasswordFile.NAME
    if ca is not None:
        changes["tls"] = TlsSettings(ca=ca)
    return settings.model_copy(update=changes), secrets, own_post


def _stop_on_signals(subscriber: Subscriber) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        subscriber.stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _print_json(subscriber: Subscriber, count: int | None, until: float | None, device: str | None) -> None:
    from edge_agent.cli.stream import Arrival, Kind  # noqa: PLC0415

    began, events = time.monotonic(), 0
    for arrived in subscriber.messages(until):
        if arrived is None:
            sys.stdout.flush()
            subscriber.reply()  # only what has been handed on is confirmed
            continue
        message = arrived.message
        if message.kind is Kind.COMMAND or device not in {None, message.device}:
            continue
        said = {"topic": message.topic, "received": datetime.now(UTC).isoformat(), "payload": message.content}
        print(json.dumps(said if message.content is not None else {**said, "bytes": arrived.size}))
        events += arrived.arrival in {Arrival.NEW, Arrival.LATE}
        if events == count:
            break
    sys.stdout.flush()
    subscriber.reply()
    totals = {**subscriber.stream.summary(), "seconds": round(time.monotonic() - began, 3)}
    print(json.dumps({"summary": totals}))


def _show(subscriber: Subscriber, count: int | None, until: float | None, device: str | None, *, full: bool) -> None:
    """A table that lives on a terminal, a line for each event in a file or a pipe; the totals at the end."""
    from edge_agent.cli.stream import Arrival, Kind  # noqa: PLC0415
    from edge_agent.cli.stream_table import View, line, missing, status, told  # noqa: PLC0415

    events = 0
    with View(subscriber.stream, console, f"{subscriber.where}, Ctrl-C ends it") as view:
        for arrived in subscriber.messages(until):
            view.trouble = subscriber.trouble
            if arrived is None:
                subscriber.reply()
                view.refresh()
            elif arrived.arrival is not None and device in {None, arrived.message.device}:
                view.add(line(arrived.message, arrived.arrival, datetime.now(UTC), full=full))
                events += arrived.arrival is not Arrival.DUPLICATE
            elif arrived.message.kind is Kind.STATUS:
                view.say(status(arrived.message))
            if events == count:
                break
        subscriber.reply()
    console.print(told(subscriber.stream), soft_wrap=True)
    for text in missing(subscriber.stream):
        console.print(text, soft_wrap=True)


def _give_up(why: str, code: Exit) -> NoReturn:
    errors.print(f"edge-agent watch: {why}", soft_wrap=True, markup=False)
    raise typer.Exit(code)
