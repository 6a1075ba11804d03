"""What `strategy cancel`, `resolve` and `reconcile` do: find the order, ask, wait, and say what came of it."""

import sys
from pathlib import Path

import typer

from infra.cli.exits import BROKEN, say
from infra.cli.hand import reached, show
from infra.operations import asking, look
from infra.simulated_day.problems import UserError
from shared.domain.control.asks import Ask, AskKind
from shared.usecases.settling.asks import LIFE

_DOUBT = "`strategy orders` lists what is open, and `strategy explain ORDER` tells its story"


def cancel(order: str, profile: str, state: Path | None, *, wait_s: float, json: bool) -> None:
    """Cancel an entry; raises UserError, and typer.Exit where no answer came."""
    with reached(profile, state) as hand:
        found = asking.order_to_cancel(hand, order)
        answer = asking.ask(hand, asking.wish_of(hand, AskKind.CANCEL, found), wait_s=wait_s, tell=say)
    _show(answer, json=json)


def resolve(
    order: str, number: int | None, profile: str, state: Path | None, *, none: bool, wait_s: float, json: bool
) -> None:  # fmt: skip
    """End a doubt; raises UserError, and typer.Exit where no answer came."""
    if (number is None) is not none:
        raise UserError("which order it is was not said in one way", remedy="say --is BROKER_ORDER, or --none")
    with reached(profile, state) as hand:
        found = look.find(hand.desk.store, order)
        wish = asking.doubt(hand, found, number)
        answer = asking.ask(hand, wish, wait_s=wait_s, tell=say)
    _show(answer, json=json)


def reconcile(
    profile: str, state: Path | None, *, yes: bool, wait_s: float, json: bool, terminal: bool
) -> None:  # fmt: skip
    """Show what the account misses, and book it when that is wanted; raises UserError, or typer.Exit without one."""
    with reached(profile, state) as hand:
        answer = asking.ask(hand, asking.wish_of(hand, AskKind.RECONCILE), wait_s=wait_s, tell=say)
        if answer.shares and (yes or (terminal and not json and _agreed(answer))):
            answer = asking.ask(hand, asking.confirmed(hand, answer), wait_s=wait_s, tell=say)
    _show(answer, json=json)
    if answer.shares and not answer.confirmed:
        say("Nothing was booked: `strategy reconcile --yes` does it now, the system by itself within minutes.")


def _agreed(answer: Ask) -> bool:
    _say(answer)
    return typer.confirm("Book these shares as taken out by you?")


def _show(answer: Ask, *, json: bool) -> None:
    if answer.waiting:
        minutes = int(LIFE.total_seconds() // 60)
        why = f" ({answer.progress})" if answer.progress else ""
        say(f"NO ANSWER YET{why}; `strategy status` shows it. It is done within {minutes} minutes of now, or never.")
        show(answer, lambda: None, json=json)
        raise typer.Exit(BROKEN)
    if not answer.done:
        raise UserError(f"{answer.answer}{''.join(f'; {line}' for line in answer.lines)}", remedy=_DOUBT)
    show(answer, lambda: _say(answer), json=json)


def _say(answer: Ask) -> None:
    for line in (answer.answer, *answer.lines):
        sys.stdout.write(f"{line[:1].upper()}{line[1:]}.\n")
