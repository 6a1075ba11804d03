"""`strategy why`: why a symbol was bought, or was not, at an instant, or each symbol on the day."""

import os
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path

import typer

from infra.cli.exits import say_unread
from infra.cli.hand import show
from infra.cli.laid_out import table
from infra.cli.looked import looked_at
from infra.cli.whose import quoted
from infra.operations import look
from infra.operations.purchases import Bought
from infra.operations.stops import stops
from infra.operations.why import Today, Why, why, why_today
from infra.results.words import span
from infra.simulated_day.hours import NEW_YORK, clock, day_and_time
from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day
from shared.domain.telling.wording import capital, count
from shared.settings import OWN_STRATEGIES


def told(symbol: str | None, at: str | None, profile: str, state: Path | None, *, json: bool) -> None:
    """Print the verdict on a symbol, without one what kept each from being bought today; raises UserError."""
    folder = os.environ.get(OWN_STRATEGIES, "")
    if symbol is None:
        _today(at, profile, state, folder, json=json)
        return
    with looked_at(profile, state, opens=not json) as hand:
        when = None if at is None else instant(at, hand.desk.clock.now())
        found = why(hand, symbol.upper(), when, folder)
        if when is None:
            found = replace(found, stops=stops(hand, os.environ, look.books(hand.desk.store, [])))
    show(found, lambda: _print(found, hand.broker), json=json)


def _today(at: str | None, profile: str, state: Path | None, folder: str, *, json: bool) -> None:
    if at is not None:
        raise UserError("--at is for one symbol", remedy="name it, such as `strategy why IBM --at 10:31:02`")
    unread: list[str] = []
    with looked_at(profile, state, opens=not json) as hand:
        found = why_today(hand, folder, unread)
    say_unread(unread, "the others count")
    show(found, lambda: table(("Symbol", "For", "Others", "Why"), [_row(one, hand.broker) for one in found]), json=json)


def _row(one: Today, broker: str | None) -> tuple[object, ...]:
    """Say what became of a symbol's signals, and only where it had none the reason that held longest."""
    if one.bought is not None:
        return one.symbol, None, None, " ".join(became(one.bought, "today"))
    longest, *others = one.reasons
    return one.symbol, span(longest.seconds), len(others), capital(quoted(longest.rule.sentence, broker))


def became(found: Bought, when: str) -> tuple[str, ...]:
    """Say in sentences what is held of a symbol, how often it was bought, and why its last signal bought nothing."""
    said = []
    if found.held and found.held_since is not None:
        said.append(f"Held since {day_and_time(found.held_since)}: {count(found.held, 'share')}.")
    if found.times:
        said.append(f"Bought {'once' if found.times == 1 else f'{found.times} times'} {when}.")
    if (vain := found.in_vain) is not None:
        order = "" if vain.order is None else f" (order {vain.order})"
        said.append(f"A purchase was wanted at {clock(vain.at)} and none came of it: {vain.sentence[:-1]}{order}.")
    return tuple(said)


def instant(text: str, now: datetime) -> datetime:
    """Read a New York time of today, `9:31`, `09:31` or `09:31:02`, or a day with it; raises UserError."""
    hour = f"0{text}" if text[1:2] == ":" else text
    try:
        return datetime.combine(new_york_day(now), time.fromisoformat(hour), NEW_YORK).astimezone(now.tzinfo)
    except ValueError:
        pass
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        remedy = "say a New York time, such as 10:31:02 or 2013-10-07T10:31:02"
        raise UserError(f"{text!r} is not a time", remedy=remedy) from None
    return (read if read.tzinfo else read.replace(tzinfo=NEW_YORK)).astimezone(now.tzinfo)


def _print(found: Why, broker: str | None) -> None:
    typer.echo(f"{found.symbol} at {day_and_time(found.at)} New York, unchanged since {clock(found.since)}:")
    for rule in found.rules:
        source = f" From {rule.source}." if rule.source else ""
        typer.echo(f"  {capital(quoted(f'{rule.sentence}{source}', broker))}")
    if found.bought is not None:
        typer.echo(f"  {' '.join(became(found.bought, f'on {new_york_day(found.at)}'))}")
    for sentence in found.stops:
        typer.echo(f"  No symbol is bought now: {sentence}")
    version = f"version {found.configuration}" if found.configuration else "as the system was started with"
    typer.echo(f"  {_aged(found.age_s)}Configuration: {version}.")


def _aged(age_s: float | None) -> str:
    """Say how old the quote was; E*TRADE's whole seconds may lie a little ahead of the scan's clock."""
    if age_s is None:
        return ""
    if age_s < 0:
        return f"The quote's time was {-age_s:.1f} s ahead of our clock. "
    return f"The quote was {age_s:.1f} s old. "
