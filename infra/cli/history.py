"""`strategy history`: the bars of a symbol that a system has stored, at home or in the cloud, without a sign-in."""

from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Json, Profile, State
from shared.domain.intervals import Interval


def history(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    symbol: Annotated[str, typer.Argument(help="Which symbol.", show_default=False)],
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day, YYYY-MM-DD; 30 days before the last one.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, YYYY-MM-DD; today.")] = None,
    interval: Annotated[Interval, typer.Option(help="How long a bar is.")] = Interval.DAY,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, as `strategy import` takes it.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Show the bars of a symbol, such as `strategy history IBM --from 2026-09-01`.

    They are as traded, with their splits beside them and adjusted by none.

    Daily bars are what was gathered, seen or imported; those within a session, such as --interval 5m, what the scan
    saw. What is missing is said.
    """
    from infra.cli import bars

    with explained():
        bars.history(
            symbol, first=first, last=last, interval=interval, profile=profile, state=state, csv=csv, json=json
        )  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Give the command to the command line."""
    app.command()(history)
