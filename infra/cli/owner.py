"""The owner's commands on a system: look at it, stop it, let it go on.

Each takes `--profile` (this machine, Google Cloud, or Google's emulators here, which the help leaves to programmers),
`--state` (which one of this machine) and `--json`. They need nobody's leave: a halt works while the broker, the bus
and every function are down.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.exits import explained
from infra.simulated_day.problems import UserError
from shared.domain.control.control import TradingState

Profile = Annotated[str, typer.Option(help="Where the system runs: local (this machine) or cloud.")]
State = Annotated[
    Path | None,
    typer.Option(help="Folder that `up` uses; without it the one that runs, else the only one under state/."),
]
Seen = Annotated[
    Path | None,
    typer.Option(help="Folder that `up` uses; without it every one that runs, else every one under state/."),
]
Stopped = Annotated[
    Path | None,
    typer.Option(help="Folder that `up` uses; without it every one that runs, else the only one under state/."),
]
Alone = Annotated[
    str | None,
    typer.Option(
        "--broker", metavar="production|sandbox",
        show_default=False,
        help="Use E*TRADE's key without a system, kept in state/BROKER-key or --state; else a system's.",
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print it for programs (JSON), and nothing else.")]
Reason = Annotated[str, typer.Option(help="Why, for your records; up to 200 characters.")]
Order = Annotated[
    str, typer.Argument(help="An order's id or its beginning, as `strategy orders` shows it, or E*TRADE's number.")
]
Every = Annotated[bool, typer.Option("--all", help="Include those that are sold.")]


def status(
    let_be: Annotated[
        bool, typer.Option("--seen", help="Then stop naming systems that were killed.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
    profile: Profile = "local", state: Seen = None, json: Json = False,
) -> None:  # fmt: skip
    """Show what is held, the day's profit, and what is wrong.

    Such as `strategy status`, or `strategy status --watch` to follow it. A system that was killed is named with what it
    held, until it is started again or you say `--seen`.
    """
    from infra.cli import hand, watching

    with explained():
        if watch and let_be:
            raise UserError("--watch and --seen were both given", remedy="say --seen by itself")
        if watch:
            watching.watch(profile, state, json=json)
            return
        hand.status(profile, state, json=json, let_be=let_be)


def orders(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    symbol: Annotated[str | None, typer.Option("--symbol", help="Only this symbol's.")] = None,
    state_is: Annotated[
        str | None, typer.Option("--state-is", help="Only those in this state, such as filled.")
    ] = None,
    last: Annotated[int | None, typer.Option("--last", min=1, help="Only so many, the newest.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those of every day.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """List today's orders and open ones; why one was not sent.

    Such as `strategy orders --state-is not-sent --last 5`, the newest last. `strategy explain ORDER` takes an id as it
    stands here.
    """
    from infra.cli import ordered

    with explained():
        ordered.orders(profile, state, every=every, symbol=symbol, state_is=state_is, last=last, json=json)


def positions(profile: Profile = "local", state: State = None, every: Every = False, json: Json = False) -> None:
    """List what is held, with prices and profit.

    Such as `strategy positions`; with --all also what is sold.
    """
    from infra.cli import held

    with explained():
        held.positions(profile, state, every=every, json=json)


def dead_letters(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """List internal messages that failed: which, when and why.

    Such as `strategy dead-letters`, to find a fault: the parts of the system send each other messages, and these were
    given up. What they hold is never shown. In the cloud the messages that no part took are kept by Pub/Sub:
    `gcloud pubsub subscriptions pull dead-letters`.
    """
    from infra.cli import hand

    with explained():
        hand.dead_letters(profile, state, json=json)


def notices(
    last: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """List your notices, and whether they reached you.

    Such as `strategy notices --last 5`, the newest last.
    """
    from infra.cli import notices as told

    with explained():
        told.notices(profile, state, last=last, json=json)


def explain(
    order: Order, profile: Profile = "local", state: State = None, json: Json = False
) -> None:  # fmt: skip
    """Tell one order's story: reason, each step, what comes next.

    Such as `strategy explain ORDER`, with an id from `strategy orders`.
    """
    from infra.cli import story

    with explained():
        story.explain(order, profile, state, json=json)


def why(
    symbol: Annotated[str | None, typer.Argument(help="Which symbol; else each of today.", show_default=False)] = None,
    at: Annotated[str | None, typer.Option(help="When, New York, such as 10:31:02; else now.")] = None,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Tell why a symbol was not bought: rule, limit, what was found.

    Such as `strategy why`, for each symbol the reason that lasted longest today; or `strategy why IBM --at 10:31:02`,
    which also says how old the quote was.
    """
    from infra.cli import whys

    with explained():
        whys.told(symbol, at, profile, state, json=json)


def rank(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Show the watch list, best first, and why in that order.

    Such as `strategy rank`. Of a long list only the first symbols are looked at each second.
    """
    from infra.cli import ranks

    with explained():
        ranks.rank(profile, state, json=json)


def halt(
    exits_too: Annotated[
        bool, typer.Option("--exits-too", help="Send no sales either: only the stops at the broker still sell.")
    ] = False,
    reason: Reason = "the owner halted", profile: Profile = "local", state: Stopped = None, json: Json = False,
) -> None:  # fmt: skip
    """Stop trading: nothing is bought; stops and sales go on.

    Such as `strategy halt --reason "a wrong price"`. Open buy orders are cancelled unless they fill first. Without
    --state every system of yours that runs on this machine is halted, and named with its result. A halt in force keeps
    its first reason; yours is added.
    """
    from infra.cli import stopping

    with explained(acts=True):
        stopping.command(
            TradingState.HALTED, exits_too=exits_too, reason=reason, profile=profile, state=state, json=json
        )  # fmt: skip


def reduce(
    reason: Reason = "the owner wants no purchases",
    profile: Profile = "local",
    state: Stopped = None,
    json: Json = False,
) -> None:
    """Buy nothing more; look after what is held until it is sold.

    Such as `strategy reduce --reason "a long lunch"`. Open buy orders may still fill: `strategy halt` cancels them.
    Without --state this is so for every system of yours that runs on this machine.
    """
    from infra.cli import stopping

    with explained(acts=True):
        stopping.command(TradingState.REDUCE_ONLY, reason=reason, profile=profile, state=state, json=json)


def resume(
    reason: Annotated[str, typer.Option(help="Why it may trade again, for your records.")],
    exits_only: Annotated[bool, typer.Option("--exits-only", help="Allow sales again, but no purchases.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Trade again after a halt.

    Such as `strategy resume --reason "the price was right"`, after a halt of yours or of the system's. Where several
    systems run, name one with --state.
    """
    from infra.cli import stopping

    to = TradingState.REDUCE_ONLY if exits_only else TradingState.ACTIVE
    with explained(acts=True):
        stopping.command(to, reason=reason, profile=profile, state=state, json=json, loosen=True)


def close(
    symbol: Annotated[str | None, typer.Argument(help="Which symbol; or --all.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Sell everything that is held.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Sell what is held of a symbol, or everything.

    Such as `strategy close IBM`, while the market is open. Its stop is cancelled first, as for every sale. It works
    after a halt too, unless that halt was given with --exits-too. The system may buy the symbol again after a pause (15
    minutes as shipped): `strategy reduce` first, to stay out.
    """
    from infra.cli import closing

    with explained(acts=True):
        closing.close(symbol, profile, state, every=every, json=json)


def login(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    link: Annotated[
        bool, typer.Option("--link", help="Sign in on the system's own page, by a link that works once.")
    ] = False,
    change: Annotated[
        bool, typer.Option("--change-account", help="Choose which account is traded from now on, and confirm it.")
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser, or only print its address.")] = True,
    wait: Annotated[
        float, typer.Option(min=1.0, max=900.0, help="How long to wait for that sign-in, seconds.")
    ] = 600.0,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Sign in to E*TRADE for the day.

    Such as `strategy login`: it opens E*TRADE's page. Press Accept there, and type the code here. `strategy login
    --no-browser` only prints the page's address: open it on any device, and type the code here. With `strategy login
    --link` you type the code on the system's own page.
    """
    from infra.cli import credentials

    with explained(acts=True):
        credentials.login(profile, state, link=link, change=change, browser=browser, wait_s=wait, json=json)


def logout(
    yes: Annotated[bool, typer.Option("--yes", help="Sign out although shares or orders are at the broker.")] = False,
    broker: Alone = None, profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """End the sign-in, at E*TRADE and here.

    Such as `strategy logout --yes`, at any time. Stops at E*TRADE stay, and on paper no stop works: nobody moves stops
    or sells until `strategy login`.
    """
    from infra.cli import credentials

    with explained(acts=True):
        credentials.logout(broker, profile, state, yes=yes, json=json, terminal=sys.stdin.isatty())


def token(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Show until when you are signed in.

    Such as `strategy token`.
    """
    from infra.cli import token_shown

    with explained():
        token_shown.token(profile, state, json=json)


def import_bars(  # noqa: PLR0917 - each parameter is an option, which typer passes by name
    file: Annotated[
        Path | None,
        typer.Argument(help="A CSV (or Parquet) file of daily or one-minute prices.", show_default=False),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List what was imported.")] = False,
    remove: Annotated[str | None, typer.Option(metavar="SYMBOL", help="Remove a symbol's imported prices.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept prices far from the day before.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Read daily prices from a file.

    Such as `strategy import FILE.csv`, so that trading can begin sooner. The columns are
    date,symbol,open,high,low,close,volume and, where there are any, split (2 for two for one) and dividend (USD a
    share); prices as traded, not adjusted for splits. A file of one-minute prices has begins_utc or ends_utc in the
    place of date. A faulty row refuses the whole file. A price more than 40 % from the close of the day before, without
    a split that explains it, needs --yes.
    """
    from infra.cli import importing

    with explained(acts=True):
        importing.imports(file, profile, state, listing=listing, remove=remove, yes=yes, json=json)


secrets = typer.Typer(
    no_args_is_help=True,
    help="Store keys and notification addresses.\n\nSuch as `strategy secrets set notify-addresses`.",
)


@secrets.command("set")
def set_secret(
    name: Annotated[
        str,
        typer.Argument(help="etrade-consumer (E*TRADE's key), notify-addresses, alpaca-key, sign-in-key or halt-key."),
    ],
    generate: Annotated[bool, typer.Option("--generate", help="Make a new sign-in-key or halt-key.")] = False,
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Store a key or your addresses; what you type is not shown.

    Such as `strategy secrets set alpaca-key`. The sign-in-key and the halt-key make the links in your notices. A
    program may send the text instead, a line for each part: key and secret, or one address after the other.
    """
    from infra.cli import credentials

    with explained(acts=True):
        credentials.set_secret(name, profile, state, generate=generate, json=json)


def add_to(app: typer.Typer) -> None:
    """Give the commands to the command line."""
    for command in (
        login,
        logout,
        token,
        status,
        positions,
        orders,
        dead_letters,
        notices,
        explain,
        why,
        rank,
        halt,
        reduce,
        resume,
        close,
    ):
        app.command()(command)
    app.command("import")(import_bars)
    app.add_typer(secrets, name="secrets")
