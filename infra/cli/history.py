"""`strategy history`: the bars that a system has stored, or that a source outside gives, at home or in the cloud."""

from enum import StrEnum
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Json, Profile, State
from infra.simulated_day.problems import UserError
from shared.domain.market.bars import Interval


class Outside(StrEnum):
    """The sources that a home asks."""

    ALPACA = "alpaca"
    YAHOO = "yahoo"


def history(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    symbols: Annotated[list[str], typer.Argument(help="Which one; with --source one or more.", show_default=False)],
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day; 30 days before --to, of a source 380.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, YYYY-MM-DD; today.")] = None,
    interval: Annotated[Interval, typer.Option(help="How long a bar is.")] = Interval.DAY,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, as `strategy import` takes it.")] = False,
    source: Annotated[Outside | None, typer.Option(help="Ask this source outside, from here.")] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep what --source gives, as an import does.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Accept prices far from the day before.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Show stored price bars, or fetch daily ones.

    Such as `strategy history IBM --from 2026-09-01`. They are as traded, with their splits beside them and adjusted by
    none.

    Daily bars are what was gathered, seen or imported; those within a session, such as --interval 5m, what the scan
    saw. What is missing is said.

    With --source daily bars are asked anew, and with --save kept where `strategy import` keeps them: so a home fills
    the cloud's store with --profile cloud.
    """
    with explained(acts=save):
        if source is not None:
            from infra.cli import fetched

            if interval is not Interval.DAY:
                raise UserError("a source gives daily bars here", remedy="leave --interval out, or --source")
            wish = fetched.Wish(
                symbols=tuple(symbols), first=first, last=last, save=save, yes=yes, csv=csv, json=json
            )  # fmt: skip
            fetched.fetched(source, wish, profile, state)
            return
        if len(symbols) > 1 or save or yes:
            raise UserError("without --source one symbol that is stored is shown", remedy="add --source yahoo")
        from infra.cli import bars

        bars.history(
            symbols[0], first=first, last=last, interval=interval, profile=profile, state=state, csv=csv, json=json
        )  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Give the command to the command line."""
    app.command()(history)
