"""How a command's help reads: in groups, with plain words for types, each paragraph filling the terminal."""

import inspect
from collections.abc import Iterable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.models import CommandInfo, TyperInfo

GROUPS = {
    "Try": ("demo", "day", "backtest", "new", "check", "brokersim"),
    "Run": ("init", "up", "login", "logout", "token", "secrets", "config"),
    "Look": (
        "status", "positions", "trades", "orders", "explain", "why", "rank", "notices", "report", "accounts", "balance",
        "quote", "history",
    ),
    "Stop": ("halt", "reduce", "close", "cancel", "resume"),
    "Operate": (
        "doctor", "probe", "reconcile", "resolve", "dead-letters", "import", "topology", "package", "record", "audit",
    ),
}  # fmt: skip
"""What a command is for -> the commands, both in the order of `strategy --help`."""

_TYPES = {
    "bool": "", "int": "NUMBER", "int range": "NUMBER", "float": "NUMBER", "float range": "NUMBER",
    "str": "TEXT", "path": "PATH",
}  # fmt: skip


def _plain(params: list[Any]) -> list[Any]:
    """Give each option the word for what it takes; a switch takes nothing."""
    for one in params:
        if isinstance(one, TyperOption) and one.metavar is None:
            one.metavar = _TYPES.get(one.type.name)
    return params


class _Command(TyperCommand):
    """A command whose options say in plain words what they take."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the parameters, `--help` included."""
        return _plain(super().get_params(ctx))


class _Group(TyperGroup):
    """The same for a command that has commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the parameters, `--help` included."""
        return _plain(super().get_params(ctx))


def named(command: CommandInfo | TyperInfo) -> str:
    """Give the name by which a registered command or group is called."""
    return str(command.name or getattr(command.callback, "__name__", "").replace("_", "-"))


def arranged(app: typer.Typer) -> None:
    """Put each command of the command line into its group, and all in the order of the groups."""
    titles = {name: title for title, names in GROUPS.items() for name in names}
    order = list(titles)
    for command in app.registered_commands:
        command.rich_help_panel = titles[named(command)]
    for group in app.registered_groups:
        group.rich_help_panel = titles[named(group)]
    app.registered_commands.sort(key=lambda one: order.index(named(one)))


def flowing(apps: Iterable[typer.Typer]) -> None:
    """Take the line breaks out of the paragraphs of each command's help, which typer would show as they stand."""
    for app in apps:
        app.info.cls = _Group
        for command in app.registered_commands:
            text = inspect.cleandoc(command.help or inspect.getdoc(command.callback) or "")
            command.help = "\n\n".join(" ".join(part.splitlines()) for part in text.split("\n\n"))
            command.cls = _Command
