"""Groups of commands with one module per command, imported only when it is called or its help is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


def group(package: str, commands: tuple[str, ...], **options: Any) -> typer.Typer:
    """A group whose commands are the modules of ``package``: ``app`` there, or the function of the module's name.

    ``options`` are those of ``typer.Typer``. A hyphen in a command's name is an underscore in that of its module.
    """

    class OneModulePerCommand(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (click calls it so)
            return list(commands)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
            if cmd_name not in commands:
                return None
            name = cmd_name.replace("-", "_")
            module = import_module(f"{package}.{name}")
            app: typer.Typer | None = getattr(module, "app", None)
            if app is None:
                app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
                app.command(cmd_name)(getattr(module, name))
            command = typer.main.get_command(app)
            command.name = cmd_name
            return command

    return typer.Typer(
        cls=OneModulePerCommand,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **options,
    )
