"""``edge-agent record``: what an officer found in a search, or read off a meter."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError

from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, console, errors
from edge_agent.cli.record.density import density
from edge_agent.cli.record.recent import Events, Recent
from edge_agent.cli.record.spool import DeviceOption, give_up, put, spool
from edge_agent.events.envelope import uuid7
from edge_agent.events.inspection import Method, Outcome, Person, SearchRecord, Seizure
from edge_agent.processing import iso6346

app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
app.command()(density)

_EVENTS = {"weight", "document"}
Texts = dict[str, str]


@app.callback(invoke_without_command=True)
def record(
    ctx: typer.Context,
    outcome: Annotated[Outcome | None, typer.Option(help="How it ended; without it, a form asks.")] = None,
    events: Annotated[
        list[str] | None,
        typer.Option("--event", "-e", help="An event of the search: its number in the journal, or its id."),
    ] = None,
    seizures: Annotated[
        list[str] | None,
        typer.Option(
            "--seizure",
            "-s",
            help="'goods=heroin; quantity=4.2 kg; packages=8; form=powder; place=fuel tank; concealment=welded box; "
            "identified=presumptive; weight=1042'; all but the goods may be left out.",
        ),
    ] = None,
    persons: Annotated[
        list[str] | None,
        typer.Option("--person", help="'name=...; role=driver; nationality=KAZ; document=1040'."),
    ] = None,
    methods: Annotated[
        list[str] | None, typer.Option("--method", "-m", help=f"What was used: {', '.join(get_args(Method))}.")
    ] = None,
    reason: Annotated[str, typer.Option(help="routine, risk_profile, information, dog, scan, behaviour, other.")] = "",
    transport: Annotated[str, typer.Option(help="road, rail, foot, air, water, mail, other.")] = "",
    direction: Annotated[str, typer.Option(help="entry, exit, transit.")] = "",
    vehicle: Annotated[str, typer.Option(help="Registration.")] = "",
    vehicle_country: Annotated[str, typer.Option(help="Code of two or three letters.")] = "",
    container: Annotated[str, typer.Option(help="Container number, with its check digit.")] = "",
    departure: Annotated[str, typer.Option(help="Country, a code.")] = "",
    destination: Annotated[str, typer.Option(help="Country, a code.")] = "",
    officer: Annotated[str, typer.Option(help="Who records it.")] = "",
    note: Annotated[str, typer.Option(help="Anything else.")] = "",
    corrects: Annotated[str, typer.Option(help="The record that this one takes the place of.")] = "",
    hours: Annotated[float, typer.Option(min=0, help="How old the events may be that the form offers.")] = 3,
    device: DeviceOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Record a search: its outcome, and the events that belong to it. Without --outcome, a form asks.

    The record is put into the spool of the post, and becomes an event when the agent runs. Only the outcome has to be
    given. What was found is called presumptive until a laboratory has said so.

    Exit codes: 0 recorded, 1 it could not be, and why, 2 wrong arguments.

    Examples:

      edge-agent record

      edge-agent record --outcome nothing_found --vehicle 123ABC02 --method scan --event 1041

      edge-agent record --outcome seizure --seizure "goods=heroin; quantity=4.2 kg; place=fuel tank; weight=1042"
    """
    if ctx.invoked_subcommand is not None:
        return
    place = spool("inspection.record", device, config)
    known = Events(place.journal)
    values: dict[str, Any] = {
        "search": uuid7(),
        "corrects": corrects or None,
        "outcome": outcome,
        "ended": datetime.now(UTC),
        "reason": reason,
        "methods": methods or [],
        "transport": transport,
        "direction": direction,
        "vehicle": vehicle,
        "vehicle_country": vehicle_country.upper(),
        "container": "".join(container.split()).upper(),
        "departure": departure.upper(),
        "destination": destination.upper(),
        "officer": officer,
        "note": note,
    }
    if outcome is None:
        if not sys.stdin.isatty():
            give_up("say --outcome, or start it in a terminal for the form", Exit.USAGE)
        from edge_agent.cli.record.form import ask  # noqa: PLC0415  (only where somebody sits before it)

        values |= ask(known.recent(hours), values)
    else:
        values["seizures"] = [_seizure(_pairs(text), known) for text in seizures or []]
        values["persons"] = [_person(_pairs(text), known) for text in persons or []]
        values["events"] = [_found(text, known).link() for text in events or []]
    checked = check(values)
    file = put(place, str(checked.search), checked.model_dump_json())
    if as_json:
        print(json.dumps({"search": str(checked.search), "file": str(file), "record": checked.model_dump(mode="json")}))
    else:
        console.print(f"Recorded as {checked.search}; it is sent when the agent runs.")


def check(values: dict[str, Any]) -> SearchRecord:
    """The record of these values.

    Raises:
        typer.Exit: with 2 if some of them do not fit; it was said which.
    """
    named = bool(values.get("persons") or values["vehicle"])
    try:
        made = SearchRecord.model_validate(values | {"nominal": named})
    except ValidationError as error:
        for each in error.errors():
            name = ".".join(str(part) for part in each["loc"])
            errors.print(f"edge-agent record: {name}: {each['msg']}", markup=False, soft_wrap=True)
        raise typer.Exit(Exit.USAGE) from None
    if made.container and not iso6346.is_valid(made.container):
        give_up(f"the check digit of container {made.container} is wrong: read the number again", Exit.USAGE)
    return made


def _pairs(text: str) -> Texts:
    parts = [part.partition("=") for part in text.split(";") if part.strip()]
    return {name.strip(): value.strip() for name, _, value in parts}


def _seizure(pairs: Texts, known: Events) -> dict[str, Any]:
    values = _resolved(pairs, Seizure.model_fields.keys(), known)
    return values | measure(values.pop("quantity", ""))


def _person(pairs: Texts, known: Events) -> dict[str, Any]:
    return _resolved(pairs, Person.model_fields.keys(), known)


def _resolved(pairs: Texts, allowed: Any, known: Events) -> dict[str, Any]:
    if wrong := sorted(pairs.keys() - set(allowed)):
        give_up(f"there is no {wrong[0]}; there are: {', '.join(allowed)}", Exit.USAGE)
    return {name: _found(value, known).event if name in _EVENTS else value for name, value in pairs.items()}


def measure(text: str) -> dict[str, Any]:
    """``4.2 kg`` as quantity and unit; nothing of nothing."""
    number, _, unit = text.replace(",", ".").partition(" ")
    return {"quantity": number, "unit": unit.strip() or None} if text else {}


def _found(text: str, known: Events) -> Recent:
    found = known.find(text)
    if found is None:
        give_up(f"there is no event {text} in the journal", Exit.USAGE)
    return found
