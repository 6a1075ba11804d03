"""What needs a key, one sign-in and no running system: `accounts`, `balance`, `quote`, `doctor`, `probe`.

Each takes `--broker` for a key alone (production or sandbox), or without it the key of a system, as the owner's
commands find one; `--sign-in` to sign in anew; and `--json`.
"""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.cli.owner import Alone, Json, Profile, State

SignIn = Annotated[bool, typer.Option("--sign-in", help="Sign in again, although you are signed in.")]
Browser = Annotated[bool, typer.Option(help="Open the sign-in page in a browser, or only print its address.")]


def accounts(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    broker: Alone = None, sign_in: SignIn = False, browser: Browser = True,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """List your E*TRADE accounts, by their last digits.

    Such as `strategy accounts --broker production`; without --broker those of a system.
    """
    from infra.cli import with_key

    with explained(), with_key.key_reached(broker, profile, state) as hand:
        with_key.accounts(hand, anew=sign_in, browser=browser, json=json)


def balance(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    broker: Alone = None, sign_in: SignIn = False, browser: Browser = True,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Show what each account can spend.

    Such as `strategy balance --broker production`. A system on paper has a row for its paper account.
    """
    from infra.cli import with_key

    with explained(), with_key.key_reached(broker, profile, state) as hand:
        with_key.balance(hand, anew=sign_in, browser=browser, json=json)


def quote(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Up to 200 symbols.", show_default=False)],
    watch: Annotated[bool, typer.Option("--watch", help="Quote them again each second, until Ctrl-C.")] = False,
    broker: Alone = None, sign_in: SignIn = False, browser: Browser = True,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Show quotes with age and delay, and whether they are good.

    Such as `strategy quote IBM BRK.B --broker production`. The quality goes from 0 to 1: from 0.5 on a quote has no
    fault, and 1 is fresh and without a spread.
    """
    from infra.cli import with_key

    with explained(), with_key.key_reached(broker, profile, state) as hand:
        with_key.quote(hand, symbols, anew=sign_in, browser=browser, json=json, watch=watch)


def doctor(
    notice: Annotated[bool, typer.Option(help="Send a test notice to each address.")] = True,
    broker: Alone = None, profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Check keys, sign-in, clock, disk, settings and notices.

    Such as `strategy doctor --broker production`: a line for each, file access, connection and watch list too. Each
    problem stands with its remedy, and makes the exit code 1.
    """
    from infra.cli import examined, with_key

    with explained(), with_key.key_reached(broker, profile, state, asks=False) as hand:
        examined.doctor(hand, cloud=profile == "cloud", notice=notice, json=json)


def probe(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL...]", help="What to quote; SPY, IBM, BRK.B and BRK.A by default."),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.5, max=30.0, help="How long to measure.")] = 10.0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report and the recording.")] = Path("probe"),
    broker: Alone = None, sign_in: SignIn = False, browser: Browser = True,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Test your key at E*TRADE; places nothing.

    Such as `strategy probe --broker production`, before the first day. It reads, asks for the preview of one share far
    from the market, and calls faster and faster until E*TRADE says "too many". It writes a report for you and a
    recording for programmers, neither with a number or a key of yours.
    """
    from infra.cli import probed, with_key

    with explained(acts=True), with_key.key_reached(broker, profile, state) as hand:
        probed.probe(
            hand, symbols or (), minutes=minutes, out=out, anew=sign_in, browser=browser, json=json
        )  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Give the commands to the command line."""
    for command in (accounts, balance, quote, doctor, probe):
        app.command()(command)
