"""`strategy config`: what the system trades by, version after version, each in the owner's own database.

What tightens is in force from the next minute, what loosens from the next session; a position that is held keeps the
rules that it was opened under, unless later ones are tighter. No function may write any of it.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Json, Profile, State

app = typer.Typer(
    help="Show and change limits and strategies.\n\nSuch as `strategy config set limits.positions_max 5`.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(min=0, help="A version's number, from `config history`; 0 is as shipped.")]


@app.command()
def show(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Show every setting in force, and what waits for the next session.

    Such as `strategy config show`.
    """
    from infra.cli import versions

    with explained():
        versions.look(profile, state, json=json)


@app.command("set", context_settings={"ignore_unknown_options": True})  # a value may begin with a minus
def set_one(
    name: Annotated[str, typer.Argument(help="A setting, such as limits.positions_max.")],
    value: Annotated[str, typer.Argument(help="What it is to be.")],
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Change one setting; a wrong one is refused.

    Such as `strategy config set limits.daily_loss_pct 1.5`.
    """
    from infra.cli import versions

    with explained(acts=True):
        versions.set_one(name, value, profile, state, json=json)


@app.command()
def edit(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Change all settings in your editor.

    Such as `EDITOR=nano strategy config edit`. A text that is refused is kept in a file.
    """
    from infra.cli import versions

    with explained(acts=True):
        versions.edit(profile, state, json=json)


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="Settings file (TOML) with what differs from `default`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Change all of it without being asked.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Take a file as the next version; a wrong one is refused.

    Such as `strategy config load FILE.toml`: it lists what would change against what is in force, and asks. What the
    file leaves out becomes as in `default`.
    """
    from infra.cli import versions

    with explained(acts=True):
        versions.load(file, profile, state, yes=yes, json=json, terminal=sys.stdin.isatty())


@app.command()
def diff(number: Number = 0, profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Compare the newest version with an earlier one.

    Such as `strategy config diff`, with the first one, or `strategy config diff NUMBER`.
    """
    from infra.cli import versions

    with explained():
        versions.diff(number, profile, state, json=json)


@app.command()
def history(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """List every version, when it came and what it changed.

    Such as `strategy config history`.
    """
    from infra.cli import versions

    with explained():
        versions.history(profile, state, json=json)


@app.command()
def rollback(number: Number, profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Take an earlier version again, as a new one.

    Such as `strategy config rollback NUMBER`, with a number from `strategy config history`.
    """
    from infra.cli import versions

    with explained(acts=True):
        versions.roll_back(number, profile, state, json=json)
