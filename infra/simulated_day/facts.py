"""What a day's report is made of: its book at the instants of whoever filled the orders, and the market's prices."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from infra.brokersim.network import WORDS, Network
from infra.results.data_end import End, named, told
from infra.results.data_holes import Hole
from infra.results.data_holes import told as holes_told
from infra.results.ends import skipped
from infra.results.equity import Move, curve, minutes, taken_out, traded
from infra.results.facts import NOT_MODELLED, SIMULATED, Beside, Count, Facts, Mark, Trade
from infra.results.receipts import Decision, decisions, why_not
from infra.results.trades import stop_lines, trades
from infra.results.watched import watched
from infra.results.words import looked, words
from infra.simulated_day.book import Book
from infra.simulated_day.folder import Card
from infra.simulated_day.hours import NEW_YORK, Hours
from infra.simulated_day.ledger import BrokerLedger
from infra.simulated_day.summary import Summary
from infra.simulated_day.timing import Spread, Timing
from shared.domain.telling.wording import count
from shared.frozen import frozen

EQUITY_MADE = "each minute: cash, and what is held at its last price"


class Shown(Protocol):
    """What a market showed at one instant: the last trade in USD."""

    @property
    def last(self) -> Decimal:
        """The last trade in USD."""
        ...


class Prices(Protocol):
    """The part of a market that a report needs."""

    def quote(self, symbol: str, at: datetime) -> Shown | None:
        """Give what `symbol` showed at an instant, or None before its first row."""
        ...


@frozen
class Ran:
    """A day that is over, as far as its report needs it; `starting` is the equity in USD that it began with.

    `account` says which account it traded, `end` where the market's data end before the close, `known_before` what else
    the market lacks, in sentences.
    """

    card: Card
    hours: Hours
    watch_list: tuple[str, ...]
    summary: Summary
    timing: Timing
    book: Book
    ledger: BrokerLedger
    starting: Decimal
    troubles: Mapping[str, int]
    beside: tuple[Beside, ...] = ()
    known_before: tuple[str, ...] = ()
    account: str = ""
    end: End | None = None


def day_facts(ran: Ran, market: Prices) -> Facts:
    """Give the facts of a day; `market` is the one that it ran on."""
    book, hours = ran.book, ran.hours
    begins = max(hours.opens, hours.starts)
    instants = minutes(begins, hours.closes)
    ends = () if ran.end is None else (ran.end,)
    found, receipts = named(trades_of(book, ran.ledger), ends), decisions_of(book)
    prices = {symbol: tuple(_marks(symbol, market, instants)) for symbol in ran.watch_list}
    return Facts(
        title=f"{hours.opens.astimezone(NEW_YORK):%A, %-d %B %Y}",
        begins=begins,
        ends=hours.closes,
        resolution="one-second quotes",
        source=f"market {ran.card.market}, seed {ran.card.seed}",
        configuration=ran.card.config,
        starting_equity=ran.starting,
        equity=curve(_moves(ran, found), prices, ran.starting, instants),
        equity_made=EQUITY_MADE,
        trades=found,
        signals=len(book.signals),
        skipped=skipped(receipts),
        prices=prices,
        said=tuple(_said(ran)),
        stops=stop_lines(book.orders, hours.closes),
        beside=ran.beside,
        decisions=tuple(receipts),
        why_not=tuple(why_not(book.receipts, ran.watch_list)),
        fees_unknown=NOT_MODELLED,
        watched=watched(book.sights, begins, hours.closes),
        violations=ran.summary.violations,
        troubles=tuple(f"{words(what)}, {count(times, 'time')}" for what, times in ran.troubles.items()),
        machine=tuple(_machine(ran)),
    )


def _said(ran: Ran) -> Iterator[str]:
    """Give what stands before every figure."""
    yield SIMULATED
    if ran.account:
        yield f"Traded in {ran.account}."
    yield from ran.known_before


def known_before(without_bars: Sequence[str], end: End | None, holes: Sequence[Hole]) -> tuple[str, ...]:
    """Say before a day runs what its market lacks: daily bars of some symbols, data up to the close or in between."""
    bars = (bars_missing(without_bars),) if without_bars else ()
    return (*bars, *told(() if end is None else (end,)), *holes_told(holes))


def bars_missing(symbols: Sequence[str]) -> str:
    """Say of what nothing can be bought, and which file would change that."""
    named = ", ".join(symbols)
    return f"Nothing can be bought of {named}: no daily bars before the day in a daily.csv beside the market file."


def trades_of(book: Book, ledger: BrokerLedger) -> list[Trade]:
    """Give the day's trades at the instants of whoever filled them."""
    when = defaultdict[int, list[datetime]](list)
    for filled in ledger.fills:
        when[filled.order_id].append(filled.at)
    return trades(orders=book.orders, fills=book.fills, taken=book.taken, signals=book.signals, filled_at=when)


def decisions_of(book: Book) -> list[Decision]:
    """Give every signal's receipt."""
    return decisions(book.signals, orders=book.orders, events=book.events, fills=book.fills)


def _moves(ran: Ran, found: Sequence[Trade]) -> Iterator[Move]:
    """Give what changed hands in orders of ours, and what the owner took out."""
    ours = {fill.broker_order_id for fill in ran.book.fills}
    for fill in ran.ledger.fills:
        if fill.order_id in ours:
            yield traded(fill.at, fill.symbol, buys=fill.action == "BUY", quantity=fill.quantity, price=fill.price)
    yield from taken_out(ran.book.taken, found)


def _marks(symbol: str, market: Prices, instants: Sequence[datetime]) -> Iterator[Mark]:
    for at in instants:
        if (shown := market.quote(symbol, at)) is not None:
            yield Mark(at=at, price=shown.last)


def _machine(ran: Ran) -> Iterator[Count]:
    summary, timing = ran.summary, ran.timing
    calls = sum(summary.broker_calls.values())
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(summary.broker_calls.items()) if count)
    rows = {
        "Network": f"{ran.card.network} network: {WORDS[Network(ran.card.network)]}",
        "Scanned": f"{count(summary.ticks, 'second')} of {count(len(ran.watch_list), 'symbol')}, "
        f"{count(summary.quotes, 'quote')}",
        "Orders": f"{summary.intents:,} decided (entries, stops and exits), {count(summary.orders, 'order')} at the "
        f"broker, {count(summary.fills, 'fill')}, {count(summary.open_positions, 'position')} left open",
        "Broker calls": f"{calls:,}: {kinds}",
        "Cache": f"{summary.cache['served']:,} of {summary.cache['asked']:,} answers without a broker call",
        **{f"Signal to order, {ahead} ahead": _spread(ages) for ahead, ages in timing.signal_age.items()},
        "Fill to working stop": "" if timing.stop_delay is None else _spread(timing.stop_delay),
        "Age of quotes decided on": "" if timing.quote_age is None else _spread(timing.quote_age, "2"),
        "Seconds looked at": looked(timing.looks),
        "Run": f"{summary.wall_s:,.1f} s, {summary.peak_rss_mb:,.0f} MB",
        "Audit trail": "audit.jsonl beside this report; `strategy audit verify --state FOLDER` checks it",
    }
    yield from (Count(name=name, text=text) for name, text in rows.items() if text)


def _spread(spread: Spread, places: str = "1") -> str:
    median = f"median {spread.p50:.{places}f} s, 99 of 100 within {spread.p99:.{places}f} s"
    return f"{median} ({spread.count:,} measured, simulated time)"
