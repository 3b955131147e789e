"""``edge-agent journal``: look into the store of events, and have some of them published again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.progress import track
from rich.table import Table

from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, console, errors
from edge_agent.daemon.journal import Journal, JournalDamagedError, JournalUnwritableError, Row

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)

PathOption = Annotated[
    Path | None, typer.Option("--journal", help="The journal's file; found through the configuration if left out.")
]
First = Annotated[int, typer.Argument(min=1, help="Sequence number of the first event.")]
Last = Annotated[int | None, typer.Argument(min=1, help="... of the last; only the first if left out.")]


@app.callback()
def journal() -> None:
    """Look into the journal: what was recorded, what the broker has, what waits. The agent may be running meanwhile.

    Exit codes: 0 done, 1 there is no journal, no such event, or it cannot be read or written, 2 wrong arguments.
    """


@app.command()
def status(config: ConfigOption = DEFAULT_CONFIG, path: PathOption = None, as_json: JsonOption = False) -> None:
    """How many events there are, and how many the broker does not have.

    Exit codes: 0 done, 1 there is no journal or no such event, or it cannot be read or written, 2 wrong arguments.

    Examples:

      edge-agent journal status

      edge-agent journal status --json | jq .undelivered
    """
    with _open(config, path) as opened:
        stand = opened.stand()
        refused = opened.refused(limit=5)
    if as_json:
        print(json.dumps({**asdict(stand), "undelivered": stand.undelivered, "file": str(opened.path)}))
        return
    table = Table(box=None, show_header=False)
    table.add_row("file", str(opened.path))
    table.add_row("events kept", f"{stand.first_sequence} to {stand.last_sequence}")
    table.add_row("delivered up to", str(stand.delivered_through))
    table.add_row("waiting", f"[{'yellow' if stand.undelivered else 'green'}]{stand.undelivered}[/]")
    table.add_row("refused by the broker", f"[{'red' if stand.refused else 'green'}]{stand.refused}[/]")
    table.add_row("evidence waiting", str(stand.evidence_waiting))
    table.add_row("size", f"{stand.bytes / 1e6:.1f} MB")
    console.print(table)
    for sequence, reason in refused:
        errors.print(f"refused: {sequence}: {reason}")


@app.command("list")
def list_(
    config: ConfigOption = DEFAULT_CONFIG,
    path: PathOption = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="How many, from the newest back.")] = 20,
    device: Annotated[str | None, typer.Option(help="Only events of this device.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The newest events: number, time, device, kind, and whether the broker has them. No personal data is shown.

    Exit codes: 0 done, 1 there is no journal or no such event, or it cannot be read or written, 2 wrong arguments.

    Examples:

      edge-agent journal list --last 100

      edge-agent journal list --device lane-1-passport --json
    """
    with _open(config, path) as opened:
        stand = opened.stand()
        refused = {sequence for sequence, _ in opened.refused()}
        rows = list(opened.each(max(1, stand.last_sequence - last + 1)))
    table = Table("sequence", "recorded", "device", "event", "broker", box=None)
    for row in rows:
        name, kind = _device_and_kind(row)
        if device not in {None, name}:
            continue
        state = "refused" if row.sequence in refused else "has it" if row.sequence <= stand.delivered_through else "-"
        when = datetime.fromtimestamp(row.recorded / 1e6, UTC).isoformat(sep=" ", timespec="seconds")
        if as_json:
            print(
                json.dumps({"sequence": row.sequence, "recorded": when, "device": name, "event": kind, "broker": state})
            )
        else:
            table.add_row(str(row.sequence), when, name, kind, state)
    if not as_json:
        console.print(table)


@app.command()
def show(
    sequence: First, config: ConfigOption = DEFAULT_CONFIG, path: PathOption = None, as_json: JsonOption = False
) -> None:
    """One event, whole, as it is published: with its personal data.

    Exit codes: 0 done, 1 there is no journal or no such event, or it cannot be read or written, 2 wrong arguments.

    Examples:

      edge-agent journal show 1042
    """
    with _open(config, path) as opened:
        rows = opened.rows(after=sequence - 1, last=sequence)
    if not rows:
        _give_up(f"there is no event {sequence} in the journal", Exit.FAILED)
    if as_json:
        print(rows[0].body.decode())
    else:
        console.print(f"[bold]{rows[0].topic}[/]")
        console.print_json(rows[0].body.decode())


@app.command()
def replay(first: First, last: Last = None, config: ConfigOption = DEFAULT_CONFIG, path: PathOption = None) -> None:
    """Have a range of events published again, under the same ids; the agent does it, now or when it next runs.

    Exit codes: 0 done, 1 there is no journal or no such event, or it cannot be read or written, 2 wrong arguments.

    Examples:

      edge-agent journal replay 1042

      edge-agent journal replay 1000 1100
    """
    until = last or first
    with _open(config, path) as opened:
        kept = sum(1 for _ in opened.each(first, until))
        if not kept:
            _give_up(f"none of the events {first} to {until} is in the journal any more", Exit.FAILED)
        try:
            opened.settle(replays=[(first, until)])
        except JournalUnwritableError as error:
            _give_up(f"the journal cannot be written ({error}): try as the user of the agent", Exit.FAILED)
    console.print(f"{kept} events will be published again.")


@app.command()
def export(
    first: First = 1,
    last: Last = None,
    config: ConfigOption = DEFAULT_CONFIG,
    path: PathOption = None,
    evidence: Annotated[Path | None, typer.Option(help="Folder to write the evidence to, too.")] = None,
) -> None:
    """Events as one JSON object a line on standard output, to the newest if no last is given.

    Exit codes: 0 done, 1 there is no journal or no such event, or it cannot be read or written, 2 wrong arguments.

    Examples:

      edge-agent journal export > events.jsonl

      edge-agent journal export 1000 1100 --evidence pictures/
    """
    with _open(config, path) as opened:
        stand = opened.stand()
        end = min(last or stand.last_sequence, stand.last_sequence)
        total = max(0, end - first + 1)
        for row in track(opened.each(first, end), "exporting", total=total, console=errors, transient=True):
            sys.stdout.buffer.write(row.body + b"\n")
            if evidence is not None:
                _export_evidence(opened, row, evidence)
        sys.stdout.buffer.flush()


def _export_evidence(opened: Journal, row: Row, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    root = row.topic.rsplit("/", 2)[0]
    for reference in json.loads(row.body).get("evidence", []):
        item = opened.evidence(f"{root}/evidence/{reference['sha256']}")
        if item is not None:
            suffix = item.media_type.rsplit("/", 1)[-1]
            (folder / f"{reference['sha256']}.{suffix}").write_bytes(item.body)


def _device_and_kind(row: Row) -> tuple[str, str]:
    *_, device, family, event = row.topic.split("/")
    return device, f"{family}/{event}"


@contextmanager
def _open(config: Path, path: Path | None) -> Iterator[Journal]:
    """The journal, and in words whatever is wrong with it."""
    from edge_agent.config.loader import ConfigError, load  # noqa: PLC0415  (not needed when the file is named)
    from edge_agent.daemon.paths import journal_path  # noqa: PLC0415

    try:
        with Journal(path or journal_path(load(config).agent)) as opened:
            yield opened
    except ConfigError:
        _give_up("the configuration has mistakes: see `edge-agent check`", Exit.FAILED)
    except JournalDamagedError as error:
        _give_up(
            f"the journal is damaged ({error}): the agent saves what can be read of it when it starts", Exit.FAILED
        )
    except (FileNotFoundError, JournalUnwritableError) as error:
        _give_up(str(error), Exit.FAILED)


def _give_up(why: str, code: Exit) -> NoReturn:
    errors.print(f"edge-agent journal: {why}", markup=False, soft_wrap=True)
    raise typer.Exit(code)
