"""`strategy backtest`: play recorded, generated, own, imported or fetched days, and say what came of them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Profile, State


class Resolution(StrEnum):
    """What the days are played on."""

    TICK = "tick"
    MINUTE = "1m"


def backtest(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day, YYYY-MM-DD; else the first there is.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day; else the last, or a month of a generated one.")
    ] = None,
    symbols: Annotated[
        str | None, typer.Option(metavar="IBM,SPY", help="Which symbols; else all of each day, ten of a generated one.")
    ] = None,
    strategy: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Use only this strategy; repeat for more.")
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|FILE.toml", help="Settings to try; repeat to compare. `default` if none."),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            metavar="PATH|SOURCE",
            help="A recorded day, a file or folder of one-minute prices, or generated, own, alpaca.",
        ),
    ] = "generated",
    resolution: Annotated[
        Resolution, typer.Option(help="Bars of a minute, or quotes of each second where there are any.")
    ] = Resolution.MINUTE,
    seed: Annotated[int, typer.Option(help="Number of the made-up market.")] = 1,
    capital: Annotated[str, typer.Option(metavar="USD", help="What the account begins with.")] = "100000",
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the results go; else the next under backtests/.")
    ] = None,
    profile: Profile = "local", state: State = None,
    json: Annotated[bool, typer.Option("--json", help="Print it for programs (JSON), and nothing else.")] = False,
) -> None:  # fmt: skip
    """Play past days as the live system would, and show the result.

    Such as `strategy backtest --strategy momentum`, one strategy on a made-up month, or on prices of yours: `strategy
    backtest --data FOLDER`. Decisions, sizes, limits and sales are the live ones; the account goes on from day to day.
    Missing days are said before the run, and beside the result stands that of the shipped settings. On one-minute
    prices fills are estimated, as infra/README.md says.
    """
    from infra.cli import backtested

    with explained(acts=True):
        backtested.run(
            backtested.Wish(
                first=first, last=last, symbols=symbols, strategies=tuple(strategy or ()),
                configs=tuple(config or ("default",)), data=data, seed=seed, capital=capital,
                resolution=resolution.value, out=out, profile=profile, state=state,
                json=json,
            )
        )  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Give the command to the command line."""
    app.command()(backtest)
