"""`strategy positions`: what is held, in money; with everything, also each position that is over."""

import sys
from pathlib import Path

from infra.cli import money_words as money
from infra.cli import traded
from infra.cli.exits import say, say_unread
from infra.cli.hand import show
from infra.cli.laid_out import table
from infra.cli.looked import looked_at, trips_at
from infra.cli.status_words import from_elsewhere
from infra.cli.whose import by_hand
from infra.operations import look
from infra.operations.wealth import Priced, closed


def positions(profile: str, state: Path | None, *, every: bool, json: bool) -> None:
    """List positions; those that are over are the round trips of `strategy trades`."""
    unread: list[str] = []
    with looked_at(profile, state, opens=not json) as hand:
        store, at = hand.desk.store, hand.desk.clock.now()
        open_ = look.positions(store, unread=unread)
        live = look.orders(store, every=False, unread=unread) if open_ else []
        rows, others = look.money(store, open_, live, at, unread=unread)
    whole = trips_at(profile, state)[0] if every else None
    say_unread(unread, by_hand("look", hand.broker, hand.mode))
    over = [] if whole is None else closed(whole.trades)

    def in_words() -> None:
        if rows:
            table(money.COLUMNS, (money.row(one, at) for one in rows))
            sys.stdout.write(f"{money.total(rows)}\n")
        elif whole is None:
            sys.stdout.write("Nothing is held.\n")
        if any(one.price is not None and one.price.kind is Priced.ELSEWHERE for one in rows):
            sys.stdout.write(f"{money.NOT_COUNTED}\n")
        if whole is not None:
            traded.in_words(whole, whole)

    show([*over, *rows], in_words, json=json)
    for one in others:
        say(f"NOT TRADED ON: {from_elsewhere(one)}.")
