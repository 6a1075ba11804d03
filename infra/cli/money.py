"""The owner's commands on money: what was traded, with what result."""

from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Json, Profile, State

Symbol = Annotated[str | None, typer.Option("--symbol", help="Only this symbol's.")]
Last = Annotated[int | None, typer.Option("--last", min=1, help="Only so many, the newest.")]


def trades(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    symbol: Symbol = None,
    last: Last = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV and nothing else; instants in UTC.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """List every round trip: in, out, shares, prices, profit, why it was left, such as `strategy trades --last 10`.

    Their sum is what `strategy status` says of the sessions; what is not equal is told. A * marks a possible wash sale.
    --state also takes the folder of a run of `demo` or `day`.
    """
    from infra.cli import traded

    with explained():
        traded.listed(profile, state, symbol=symbol, last=last, json=json, csv=csv)


def add_to(app: typer.Typer) -> None:
    """Give the command to the command line."""
    app.command()(trades)
