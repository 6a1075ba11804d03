"""The owner's commands on a desk: look at it, stop it, let it go on, store what only the owner has.

Each takes `--profile` (this machine, Google's emulators on it, Google Cloud), `--state` (which desk of this machine)
and `--json`. They need nobody's leave: a halt works while the broker, the bus and every function are down.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.cli.exits import explained
from infra.day.problems import UserError
from infra.owner import look
from infra.owner.profiles import Hand, reach
from shared.codec import dumps, encode
from shared.domain.control import Control, TradingState
from shared.errors import ConfigError, StoreDown
from shared.usecases import control

Profile = Annotated[str, typer.Option(help="Where the desk runs: local, emulators or cloud.")]
State = Annotated[Path | None, typer.Option(help="Folder of the desk; without it the only one under state/.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Reason = Annotated[str, typer.Option(help="Why, for the record and for the one who reads it later.")]
Every = Annotated[bool, typer.Option("--all", help="Also what is over.")]


def status(profile: Profile = "local", state: State = None, json: Json = False) -> None:
    """Show a desk at a glance: the trading state, what is live, what is in doubt."""
    with _reached(profile, state) as hand:
        seen = look.overview(hand.desk.store, at=hand.desk.clock.now(), running=hand.running)
    _print(seen, json, lambda: _pairs(_overview(seen)))


def orders(profile: Profile = "local", state: State = None, every: Every = False, json: Json = False) -> None:
    """List the orders that are not over."""
    with _reached(profile, state) as hand:
        rows = look.orders(hand.desk.store, every=every)
    columns = ("Order", "Symbol", "Side", "Shares", "Filled", "Price", "State", "Why")
    _print(rows, json, lambda: _table(columns, (
        (one.intent_id, one.symbol, one.side, one.quantity, one.filled, one.stop_price or one.limit_price, one.state,
         one.reason) for one in rows
    )))  # fmt: skip


def positions(profile: Profile = "local", state: State = None, every: Every = False, json: Json = False) -> None:
    """List what is held."""
    with _reached(profile, state) as hand:
        rows = look.positions(hand.desk.store, every=every)
    columns = ("Symbol", "Shares", "Cost", "Stop wanted", "Realised", "Since")
    _print(rows, json, lambda: _table(columns, (
        (one.symbol, one.quantity, one.average_cost, one.stop_wanted, one.realized, _day_and_time(one.opened_at))
        for one in rows
    )))  # fmt: skip


def explain(
    order: Annotated[str, typer.Argument(help="An order's id, its beginning, or the broker's number.")],
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Tell one order's story: the signal, each step, the fills, where it stands and what happens next."""
    with _reached(profile, state) as hand:
        story = look.story(hand.desk.store, order)
    _print(story, json, lambda: _story(story))


def halt(
    exits_too: Annotated[bool, typer.Option("--exits-too", help="Also let nothing be sold.")] = False,
    reason: Reason = "the owner halted", profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Stop: no new entries, those at the broker are cancelled; protective stops stay, exits may go on."""
    _set(TradingState.HALTED, reason=reason, exits_too=exits_too, profile=profile, state=state, json=json)


def reduce(
    reason: Reason = "the owner wants no entries", profile: Profile = "local", state: State = None, json: Json = False
) -> None:
    """Take no new entries; what is held is looked after to its end."""
    _set(TradingState.REDUCE_ONLY, reason=reason, exits_too=False, profile=profile, state=state, json=json)


def resume(
    reason: Annotated[str, typer.Option(help="Why it may trade again; it is asked for on purpose.")],
    profile: Profile = "local", state: State = None, json: Json = False,
) -> None:  # fmt: skip
    """Trade again, after a halt of yours or of the system's."""
    if not reason.strip():
        with explained():
            raise UserError("a reason is needed", remedy='say why it may trade again: --reason "..."')
    _set(TradingState.ACTIVE, reason=reason, exits_too=False, profile=profile, state=state, json=json)


def _set(to: TradingState, *, reason: str, exits_too: bool, profile: str, state: Path | None, json: bool) -> None:
    with _reached(profile, state) as hand:
        value = control.command(hand.desk, to, exits_too=exits_too, reason=reason)
    _print(value, json, lambda: typer.echo(f"The trading state is {_stated(value)}."))


@contextmanager
def _reached(profile: str, state: Path | None) -> Iterator[Hand]:
    """Reach the desk, with its failures as one sentence and a remedy."""
    with explained():
        try:
            with reach(profile, state, os.environ) as hand:
                yield hand
        except ConfigError as wrong:
            raise UserError("; ".join(wrong.problems), remedy="put that right and ask again") from None
        except StoreDown as down:
            raise UserError(f"the store does not answer: {down.detail}", remedy="ask again in a moment") from None


def _print(value: object, as_json: bool, show: Callable[[], object]) -> None:
    if as_json:
        sys.stdout.write(f"{dumps(encode(value)).decode()}\n")
    else:
        show()


def _stated(value: Control) -> str:
    blocked = ", exits too" if value.exits_too else ""
    return f"{value.state}{blocked} since {_day_and_time(value.at)} UTC, by {value.by}: {value.reason}"


def _overview(seen: look.Overview) -> Iterable[tuple[str, object]]:
    yield "At", f"{_day_and_time(seen.at)} UTC{'' if seen.running else ' (the desk is not running)'}"
    yield "Trading state", _stated(seen.control) if seen.control else "ACTIVE: nothing was ever decided"
    yield "Live orders", seen.live_orders
    yield "In doubt", ", ".join(seen.in_doubt) or "none"
    yield "Open positions", seen.open_positions
    yield "Realised", f"{seen.realized:+,.2f} USD on {seen.session}" if seen.session else "nothing traded yet"
    yield "Dead letters", seen.dead_letters


def _story(story: look.Story) -> None:
    order = story.order
    _pairs((
        ("Order", f"{order.intent_id}: {order.side} {order.quantity} {order.symbol}, {order.kind}, {order.reason}"),
        ("Stands", f"{order.state}: {story.stands}"),
        ("Next", story.next_step),
        *((("Signal", f"{story.signal.signal_id} of {story.signal.strategy}"),) if story.signal else ()),
        *((("Codes", ", ".join(order.codes)),) if order.codes else ()),
    ))  # fmt: skip
    _table(("Step", "At", "By", "From", "To", "Why"), (
        (one.seq, f"{one.at:%H:%M:%S.%f}"[:12], one.actor, one.before, one.after, one.cause) for one in story.events
    ))  # fmt: skip
    if story.fills:
        _table(("Filled", "Shares", "Price", "Realised"), (
            (f"{one.at:%H:%M:%S}", one.quantity, one.price, one.realized) for one in story.fills
        ))  # fmt: skip


def _day_and_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _pairs(rows: Iterable[tuple[str, object]]) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in rows:
        table.add_row(name, str(value))
    Console().print(table, highlight=False, markup=False)


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name != "Why")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console().print(table, highlight=False, markup=False)


def add_to(app: typer.Typer) -> None:
    """Give the commands to the command line."""
    for command in (status, positions, orders, explain, halt, reduce, resume):
        app.command()(command)
