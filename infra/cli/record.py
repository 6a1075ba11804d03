"""`strategy record`: what the scan looks at, second by second, as a recorded day that can be decided again."""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Json, Profile, State

app = typer.Typer(
    help="Record each second's quotes, to play the day again.\n\nSuch as `strategy record start`.",
    no_args_is_help=True,
)
Day = Annotated[str | None, typer.Option("--day", metavar="DAY", help="YYYY-MM-DD; the last one that was recorded.")]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="Where the recorded day goes.")]
Filled = Annotated[
    Path | None, typer.Argument(metavar="[FOLDER]", help="One that `record write` filled; else the system's own.")
]


@app.command()
def start(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Record from the next minute on; trading is not affected.

    Such as `strategy record start`.
    """
    from infra.cli import recordings

    with explained(acts=True):
        recordings.want(profile, state, wanted=True, json=json)


@app.command()
def stop(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """End the recording with the next minute; what was recorded stays.

    Such as `strategy record stop`.
    """
    from infra.cli import recordings

    with explained(acts=True):
        recordings.want(profile, state, wanted=False, json=json)


@app.command()
def show(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Show whether quotes are recorded, and of which days there are any.

    Such as `strategy record show`.
    """
    from infra.cli import recordings

    with explained():
        recordings.stands(profile, state, json=json)


@app.command()
def write(
    out: Out = Path("recorded"), day: Day = None, profile: Profile = "local", state: State = None, json: Json = False
) -> None:
    """Write a recorded day to files, which the command `day` plays.

    Such as `strategy record write --out days`. It may be written while the recording goes on.
    """
    from infra.cli import recordings

    with explained():
        recordings.write(profile, state, out, day, json=json)


@app.command()
def check(
    folder: Filled = None, day: Day = None, profile: Profile = "local", state: State = None, json: Json = False
) -> None:
    """For programmers: decide a recorded day again, and say what differs.

    Such as `strategy record check`, for the last recorded day. Exit code 1 where anything differs.
    """
    from infra.cli import recordings

    with explained():
        recordings.check(profile, state, folder, day, json=json)
