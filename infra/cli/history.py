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
    interval: Annotated[Interval, typer.Option(help="How much time each price bar covers.")] = Interval.DAY,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, as `strategy import` reads it.")] = False,
    source: Annotated[Outside | None, typer.Option(help="Ask this provider now, for daily prices.")] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep what --source gives, for trading.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Accept prices far from the day before.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Show stored past prices, or fetch daily ones.

    Such as `strategy history IBM`, the last 30 days; --from and --to take others. Prices are not adjusted for splits,
    which are named. What is missing is said.

    Daily prices were fetched, seen or imported; those within a day, such as --interval 5m, are what the system saw
    itself.

    `strategy history IBM --source yahoo` asks Yahoo now. With --save the prices are kept, as `strategy import` keeps
    them; with --profile cloud in the cloud.
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
