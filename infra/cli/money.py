"""The owner's commands on money: what was traded, with what result."""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Json, Profile, State

Symbol = Annotated[str | None, typer.Option("--symbol", help="Only this symbol's.")]
Last = Annotated[int | None, typer.Option("--last", min=1, help="Only the newest so many.")]


def trades(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    symbol: Symbol = None,
    last: Last = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV and nothing else; times in UTC.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """List trades: bought, sold, profit, reason; open ones too.

    Such as `strategy trades --last 10`. The sum is that of `strategy status`; a difference is told. A * marks a
    possible wash sale. --state also takes the folder of a run of `demo`, `day` or `backtest`.
    """
    from infra.cli import traded

    with explained():
        traded.listed(profile, state, symbol=symbol, last=last, json=json, csv=csv)


def report(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    session: Annotated[
        str | None, typer.Option("--session", metavar="DAY", help="Of which day; without it the last one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to; without it reports/ in the system's folder.")
    ] = None,
    opens: Annotated[bool, typer.Option("--open", help="Open it in your browser.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Write the report of a day as a page for the browser.

    Such as `strategy report --open`. It has the return beside buy-and-hold, the deepest fall, the share of winners,
    trades, charts, and purchases that were not made, with the reason. `strategy up` writes one at the end of each day
    by itself. Nothing is asked of E*TRADE. --json prints the figures and writes nothing.
    """
    from infra.cli import reported

    with explained(acts=not json):
        reported.report(profile, state, session=session, out=out, opens=opens, json=json)


def add_to(app: typer.Typer) -> None:
    """Give the commands to the command line."""
    app.command()(trades)
    app.command()(report)
