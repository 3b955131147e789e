"""The form in the terminal. Everything but the outcome can be passed over with Enter."""

from __future__ import annotations

import re
from typing import Any, Final, get_args

import typer
from rich.prompt import Confirm, Prompt
from rich.table import Table

from edge_agent.cli.console import Exit, console
from edge_agent.cli.record.recent import Recent
from edge_agent.events.inspection import Method, Outcome, Quantity, SearchRecord, Seizure
from edge_agent.processing import iso6346

_SHOWN: Final = 20
_LONGEST: Final = 200
_LONGEST_NOTE: Final = 4000
_COUNTRY: Final = re.compile("[A-Z]{2,3}")


def ask(recent: list[Recent], given: dict[str, Any]) -> dict[str, Any]:
    """The values of a record; what was given with options is not asked for.

    Raises:
        typer.Exit: the officer does not want to record it after all.
    """
    console.print("[bold]Record of a search.[/] Enter passes over a question; Ctrl-C ends without a record.")
    answers: dict[str, Any] = {"outcome": Prompt.ask("Outcome", choices=[each.value for each in Outcome])}
    answers["events"] = [event.link() for event in _choose(recent)]
    for name in ("reason", "transport", "direction"):
        if not given[name]:
            answers[name] = Prompt.ask(name.capitalize(), choices=_choices(name), default="", show_default=False)
    if not given["methods"]:
        answers["methods"] = _several("What was used", get_args(Method))
    if not given["vehicle"]:
        answers["vehicle"] = _text("Vehicle")
    for name in ("vehicle_country", "departure", "destination"):
        if not given[name]:
            answers[name] = _country(name.replace("_", " ").capitalize())
    if not given["container"]:
        answers["container"] = _container()
    if answers["outcome"] in {Outcome.SEIZURE, Outcome.SUSPICION}:
        answers["seizures"] = list(iter(lambda: _seizure(recent), None))
    answers["persons"] = list(iter(lambda: _person(recent), None))
    for name, longest in (("officer", _LONGEST), ("note", _LONGEST_NOTE)):
        if not given[name]:
            answers[name] = _text(name.capitalize(), longest)
    if not Confirm.ask("Record this", default=True):
        raise typer.Exit(Exit.FAILED)
    return answers


def _choices(name: str) -> list[str]:
    return list(get_args(SearchRecord.model_fields[name].annotation))


def _text(question: str, longest: int = _LONGEST) -> str:
    while len(said := Prompt.ask(question, default="", show_default=False).strip()) > longest:
        console.print(f"That is longer than {longest} characters.", style="yellow")
    return said


def _country(question: str) -> str:
    while (code := _text(f"{question} (two or three letters)").upper()) and not _COUNTRY.fullmatch(code):
        console.print("Write a code of two or three letters, as KZ or KAZ.", style="yellow")
    return code


def _several(question: str, allowed: tuple[str, ...]) -> list[str]:
    while True:
        said = [part.strip() for part in _text(f"{question} ({', '.join(allowed)}; several with commas)").split(",")]
        said = [part for part in said if part]
        if wrong := [part for part in said if part not in allowed]:
            console.print(f"There is no {wrong[0]}.", style="yellow", markup=False)
            continue
        return said


def _choose(recent: list[Recent]) -> list[Recent]:
    """Which of the post's last events belong to the search."""
    if not recent:
        console.print("[dim]There are no recent events at this post to link.[/]")
        return []
    table = Table("number", "time (UTC)", "device", "event", "", box=None)
    for event in recent[:_SHOWN]:
        table.add_row(str(event.sequence), event.at[11:19], event.device, event.kind, event.summary)
    console.print(table)
    by_number = {str(event.sequence): event for event in recent}
    return [by_number[number] for number in _several_of("Which belong to it (numbers, with commas)", by_number)]


def _several_of(question: str, allowed: dict[str, Recent]) -> list[str]:
    while True:
        said = [part.strip() for part in _text(question).split(",") if part.strip()]
        if wrong := [part for part in said if part not in allowed]:
            console.print(f"There is no event {wrong[0]} above.", style="yellow", markup=False)
            continue
        return said


def _container() -> str:
    while number := "".join(_text("Container number").split()).upper():
        if iso6346.is_valid(number):
            return number
        console.print("Its check digit is wrong: read it again.", style="yellow")
    return ""


def _seizure(recent: list[Recent]) -> dict[str, Any] | None:
    """What was found; None if there is nothing more."""
    goods = _text("Goods found (Enter: no more)")
    if not goods:
        return None
    identified = Prompt.ask(
        "Identified", choices=list(get_args(Seizure.model_fields["identified"].annotation)), default="presumptive"
    )
    values: dict[str, Any] = {"goods": goods, "identified": identified, **_quantity()}
    packages = _text("Packages")
    values["packages"] = int(packages) if packages.isdigit() and int(packages) else None
    values |= {name: _text(name.capitalize()) for name in ("form", "place", "concealment")}
    values["weight"] = _event("Number of the event of its weighing", recent)
    return values


def _quantity() -> dict[str, Any]:
    units = get_args(Quantity)
    while said := _text(f"Quantity, as 4.2 kg ({', '.join(units)})"):
        number, _, unit = said.replace(",", ".").partition(" ")
        try:
            if float(number) > 0 and unit.strip() in units:
                return {"quantity": float(number), "unit": unit.strip()}
        except ValueError:
            pass
        console.print("Write a number, a space and one of the units.", style="yellow")
    return {}


def _person(recent: list[Recent]) -> dict[str, Any] | None:
    """Somebody whom the search concerns; None if there is nobody more."""
    role = _text("Person, by role: driver, passenger ... (Enter: nobody more)")
    if not role:
        return None
    values: dict[str, Any] = {"role": role, "name": _text("Name"), "nationality": _country("Nationality")}
    values["document"] = _event("Number of the event of the document", recent)
    return values


def _event(question: str, recent: list[Recent]) -> Any:
    by_number = {str(event.sequence): event.event for event in recent}
    while number := _text(question):
        if number in by_number:
            return by_number[number]
        console.print("There is no such event above.", style="yellow")
    return None
