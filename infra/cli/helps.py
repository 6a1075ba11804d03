"""How a command's help reads: each of its paragraphs fills the terminal, wherever its docstring breaks a line."""

import inspect
from collections.abc import Iterable

import typer


def flowing(apps: Iterable[typer.Typer]) -> None:
    """Take the line breaks out of the paragraphs of each command's help, which typer would show as they stand."""
    for command in (one for app in apps for one in app.registered_commands):
        text = inspect.cleandoc(command.help or inspect.getdoc(command.callback) or "")
        command.help = "\n\n".join(" ".join(part.splitlines()) for part in text.split("\n\n"))
