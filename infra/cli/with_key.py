"""What `strategy accounts`, `balance` and `quote` do: reach the key, sign in, show; and how others reach it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import typer

from infra.cli import quoted
from infra.cli.credentials import asking_code, hidden
from infra.cli.exits import BAD_INPUT, say, told_to_end
from infra.cli.hand import alone, reached, show
from infra.cli.laid_out import table
from infra.operations import key, secrets, systems, tables
from infra.operations.login import by_code_alone
from infra.operations.market import market_data
from infra.operations.profiles import Hand, key_folder, require_profile
from infra.operations.reads import Reads
from infra.running.wanted import BROKERS, require_set_up
from infra.simulated_day.hours import day_and_time
from infra.simulated_day.problems import UserError
from shared import settings
from shared.domain.broker.brokerage import is_margin
from shared.errors import AuthError, BrokerError
from shared.settings import MAX_WATCHED, Mode
from shared.topology import CONSUMER


@contextmanager
def key_reached(
    broker: str | None, profile: str, state: Path | None, *, asks: bool = True
) -> Iterator[Hand]:  # fmt: skip
    """Reach the system that is meant, or with a `broker` a key alone, whose pair it `asks` for where there is none."""
    require_profile(profile)
    if broker is None:
        if profile == "local" and state is None:
            _require_one()
        with reached(profile, state) as hand:
            yield hand
        return
    if profile != "local":
        raise UserError(f"--broker is for a key alone, and --profile {profile} for a system", remedy="leave one out")
    if not asks and settings.consumer(os.environ) is None and broker in BROKERS:
        require_set_up(state or key_folder(broker), os.environ)
    with alone(broker, state) as hand:
        if asks or settings.consumer(os.environ) is not None:
            key.require_pair(hand, os.environ, lambda: hidden(secrets.KINDS[CONSUMER].asks))
        yield hand


def _require_one() -> None:
    """Refuse where no system can be meant, and name the way without one; raises UserError."""
    try:
        systems.only()
    except UserError as none:
        remedy = f"{none.remedy}; a key alone needs no system: add --broker production, or --broker sandbox"
        raise UserError(none.what, remedy=remedy) from None


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what E*TRADE does not answer or accept into one sentence and a remedy."""
    try:
        yield
    except AuthError as refused:
        what = f"E*TRADE does not accept the key or the sign-in: {refused.detail}"
        raise UserError(
            what, remedy="sign in again with --sign-in, or `strategy login` for a system that runs"
        ) from None
    except BrokerError as broken:
        what = f"E*TRADE gave no usable answer: {broken.detail}"
        raise UserError(what, remedy="ask again in a moment; `strategy doctor` looks for the cause") from None


def signed_in(hand: Hand, *, anew: bool, browser: bool) -> Reads:
    """Give the reading client, after a sign-in where no token lives or one is wanted `anew`; raises UserError."""
    key.require_reachable(hand)
    if anew or not key.signs(hand):
        if hand.running:
            raise UserError(f"nobody is signed in at {hand.name}", remedy="sign in with `strategy login`")
        by_code_alone(hand, asking_code(hand, browser=browser), say)
    return key.reads(hand)


def accounts(hand: Hand, *, anew: bool, browser: bool, json: bool) -> None:
    """List the accounts."""
    with refusals():
        found = tables.accounts(hand, signed_in(hand, anew=anew, browser=browser))
    show(found, lambda: table(("Account", "Mode", "Active", "Not readable"), (
        (f"...{one.ending}", one.mode, "yes" if one.active else "no", ", ".join(one.odd)) for one in found.rows
    )), json=json)  # fmt: skip
    _say_source(found.source, found.asked_at, "fresh")


def balance(hand: Hand, *, anew: bool, browser: bool, json: bool) -> None:
    """Show what the active accounts can spend; raises typer.Exit where one could not be read."""
    with refusals():
        found = tables.balances(hand, signed_in(hand, anew=anew, browser=browser))
    columns = ("Account", "Mode", "Settled cash", "Buying power", "Worth", "Day trader", "Calls", "Age")
    show(found, lambda: table(columns, (
        (_named(one), one.mode, *map(_usd, (_settled(one), one.cash_buying_power, one.account_value)),
         one.day_trader_status, ", ".join(one.calls), quoted.age(one.age_s)) for one in found.rows
    )), json=json)  # fmt: skip
    _say_source(found.source, found.asked_at, "USD, not delayed")
    if hand.mode == Mode.PAPER:
        known = any(one.on_paper and one.age_s is not None for one in found.rows)
        more = "Its worth has shares without a fresh price at their cost." if known else "Its balance was not read yet."
        say(f"This system trades on paper, in the paper account alone: no other account is touched. {more}")
    for one in found.rows:
        if one.problem is not None:
            say(f"NOT READ: the account that ends in {one.ending}: {one.problem}.")
    if all(one.on_paper for one in found.rows):
        say("There is no active account: `strategy accounts` lists those that there are.")
    if any(one.problem is not None for one in found.rows):
        raise typer.Exit(BAD_INPUT)


def _usd(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:,.2f} USD"


def _settled(one: tables.BalanceRow) -> Decimal | None:
    """Give settled cash where it limits purchases: in a margin account it looks like a debt until sales settle."""
    return None if is_margin(one.mode) else one.settled_cash


def _named(one: tables.BalanceRow) -> str:
    return "paper account" if one.on_paper else f"...{one.ending}"


def quote(
    hand: Hand, symbols: Sequence[str], *, anew: bool, browser: bool, json: bool, watch: bool = False
) -> None:  # fmt: skip
    """Quote symbols, once or until Ctrl-C; raises UserError for too many, and typer.Exit where one has no fresh quote.

    Where E*TRADE gives none, the last one that is stored is shown, and marked so.
    """
    if len(symbols) > MAX_WATCHED:
        raise UserError(f"{len(symbols)} symbols are more than {MAX_WATCHED}", remedy="ask for fewer")
    with refusals():
        data = market_data(hand, signed_in(hand, anew=anew, browser=browser))
        if watch:
            with told_to_end() as told:
                quoted.watch(lambda: tables.quotes(hand, data, symbols), told.wait, json=json)
            return
        found = tables.quotes(hand, data, symbols)
    show(found, lambda: table(quoted.COLUMNS, quoted.lines(found)), json=json)
    _say_source(found.source, found.asked_at, "the age counts from the quote's own time")
    if found.delayed is not None:
        say(f"{found.delayed[:1].upper()}{found.delayed[1:]}.")
    if not all(one.fresh for one in found.rows):
        raise typer.Exit(BAD_INPUT)


def _say_source(source: str, asked_at: datetime, what: str) -> None:
    say(f"Source: {source}, asked at {day_and_time(asked_at)} New York; {what}.")
