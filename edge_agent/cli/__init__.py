"""The command line: one module per command, imported only when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = ("run", "check", "read", "watch", "journal", "drivers", "schema", "kernels", "broker", "demo")

EPILOG = (
    "Exit codes: 0 done, 1 the answer is no (mistakes found, page not valid ...), 2 wrong arguments, "
    "3 a broker or device does not answer."
)


class _OneModulePerCommand(TyperGroup):
    """Looks a command up in the module of its name: ``app`` there, or the function of the same name."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (click calls it so)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"edge_agent.cli.{cmd_name}")
        app: typer.Typer | None = getattr(module, "app", None)
        if app is None:
            app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
            app.command(cmd_name)(getattr(module, cmd_name))
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_OneModulePerCommand,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def edge_agent() -> None:
    """The daemon on a border crossing point, and the tools of the technician who looks after it."""


def main() -> None:
    """Entry point of ``edge-agent``."""
    app()
