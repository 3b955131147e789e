"""``edge-agent check``: whether the configuration is right, and everything there that it names."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from edge_agent.cli.probing import Probe
    from edge_agent.config.loader import Findings
    from edge_agent.config.mistakes import Mistake
    from edge_agent.config.models import Config


def check(
    config: ConfigOption = DEFAULT_CONFIG,
    probe: Annotated[bool, typer.Option("--probe", help="Contact the broker and every enabled device, too.")] = False,
    timeout: Annotated[float, typer.Option(min=1, max=600, help="Seconds that --probe gives each of them.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Look for mistakes in the configuration, and tell all of them with file, line and column.

    Exit codes: 0 all is well, 1 there are mistakes, 2 wrong arguments, 3 something cannot be reached (with --probe).

    Secrets and certificates are looked for as the user who calls this: best as that of the agent. A device that only
    one program can use is busy for --probe while the agent runs.

    Examples:

      edge-agent check

      edge-agent check --config ./config --json | jq .file

      sudo -u edge-agent edge-agent check --probe
    """
    from edge_agent.config.loader import examine  # noqa: PLC0415  (pydantic, not needed for --help)
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415

    prepare_environment()  # before any driver is imported
    findings = examine(config)
    if as_json:
        _print_json(findings)
    else:
        _print(findings)
    if findings.config is None:
        raise typer.Exit(Exit.FAILED)
    if probe and not _probe(findings.config, config, timeout, as_json=as_json):
        raise typer.Exit(Exit.UNREACHABLE)


def _print(findings: Findings) -> None:
    for mistake in findings.mistakes:
        _show(mistake, "bold red")
    for note in findings.notes:
        _show(note, "bold yellow", "note: ")
    if findings.config is None:
        files = len({mistake.file for mistake in findings.mistakes})
        console.print(f"[red]{_counted(len(findings.mistakes), 'mistake')} in {_counted(files, 'file')}[/]")
        return
    post, enabled = findings.config.agent.post, sum(device.enabled for device in findings.config.devices)
    devices = f"{_counted(len(findings.config.devices), 'device')}, {enabled} enabled"
    console.print(f"[green]no mistakes[/]: {post.country}/{post.bcp}, {devices}", soft_wrap=True)


def _show(mistake: Mistake, style: str, label: str = "") -> None:
    text = str(mistake)
    where = text.find(": ")
    console.print(Text.assemble((label, style), (text[:where], style), text[where:]), soft_wrap=True)
    if mistake.snippet:
        line, caret = mistake.snippet.split("\n")
        console.print(Text.assemble(f"{line}\n", (caret, style)), soft_wrap=True)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _print_json(findings: Findings) -> None:
    for kind, found in (("mistake", findings.mistakes), ("note", findings.notes)):
        for mistake in found:
            print(json.dumps({"kind": kind, **asdict(mistake)}, ensure_ascii=False))


def _probe(config: Config, directory: Path, timeout: float, *, as_json: bool) -> bool:
    """Show what the contacts came to; whether all were made."""
    from edge_agent.cli.probing import probe  # noqa: PLC0415  (paho and multiprocessing, not needed without --probe)

    results: list[Probe] = []
    with errors.status("contacting the broker and the devices"):
        for result in probe(config, directory, timeout):
            results.append(result)
            if as_json:
                print(json.dumps({"kind": "probe", **asdict(result)}, ensure_ascii=False), flush=True)
    if not as_json:
        table = Table("", "device", "driver", "result", box=None)
        for result in results:
            sign = {True: "[green]ok[/]", False: "[red]no[/]", None: "[dim]-[/]"}[result.reachable]
            table.add_row(sign, result.name, result.driver, Text(result.result))
        console.print(table)
    return all(result.reachable is not False for result in results)
