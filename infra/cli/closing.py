"""`strategy close`: what is held is sold on the way of every exit, and the owner reads what happens next."""

import sys
from pathlib import Path

import typer

from infra.cli import opening
from infra.cli.exits import BAD_INPUT, say
from infra.cli.hand import reached, show
from infra.cli.whose import by_hand
from infra.operations import closing
from infra.operations.closing import Closing
from infra.simulated_day.problems import UserError
from shared.domain.orders.explain import at_venue
from shared.usecases.sign_in import token

_NEXT = (
    "{when}: its stop at the broker is cancelled, then the shares are sold, about at the "
    "bid and at a new price every 20 s until they are, or at the market without a sound quote of the last three "
    "minutes. `strategy positions` shows when it is done. The system may buy the symbol again after its cool-down: "
    "`strategy reduce` keeps it from buying, and `strategy halt` does, too.\n"
)


def close(symbol: str | None, profile: str, state: Path | None, *, every: bool, json: bool) -> None:
    """Ask for the exit of a symbol, or of all; raises UserError, and typer.Exit where one was not asked for."""
    if (symbol is None) is not every:
        raise UserError("what is to be sold was not said in one way", remedy="name a symbol, or say --all")
    unread: list[str] = []
    with reached(profile, state) as hand:
        results = closing.close(hand, symbol, unread=unread)
        signed_in = token.stage(hand.desk.store, hand.desk.clock.now()).signs
        lines = [] if json else [*opening.of(hand, profile), f"System: {hand.name}"]
    opening.show(lines)
    show(results, lambda: tell(results, signed_in=signed_in), json=json)
    for path in unread:
        say(f"NOT SOLD, because it cannot be read: {path}; {by_hand('sell it', hand.broker, hand.mode)}.")
    for one in results:
        if one.problem is not None:
            say(f"NOT SOLD: {one.symbol}: {one.problem}.")
    if unread or closing.failed(results):
        raise typer.Exit(BAD_INPUT)


def tell(results: list[Closing], *, signed_in: bool = True) -> None:
    """Say what becomes of each symbol, and what the owner has to know of the next minutes."""
    for one in results:
        if one.problem is None:
            sys.stdout.write(f"{_line(one)}\n")
    asked = [one.venue for one in results if one.problem is None]
    if asked:
        when = "The scan takes it up within seconds" if signed_in else "The scan takes it up once you are signed in"
        sys.stdout.write(at_venue(_NEXT.format(when=when), asked[0]))


def _line(one: Closing) -> str:
    shares = f"{one.quantity:,} share{'s' * (one.quantity != 1)} of {one.symbol}"
    if one.already:
        return f"{shares} are to be sold already."
    return f"{shares} are to be sold."
