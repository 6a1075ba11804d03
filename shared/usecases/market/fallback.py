"""Prices from elsewhere while the broker gives none: `market_history` fetches them, the owner sees them and is told.

What can go wrong: the source refuses, is slow, or says what cannot be; an ask comes when the outage is long over; a
price from elsewhere is taken for the broker's. What this promises: each price is kept with its source and both of its
instants in a collection that no function but `market_history` may use; the owner hears of them once an outage; an ask
that is older than a minute is dropped. Of what a source says a number and an instant are read, and no word.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.codec import decode
from shared.domain.broker.tickets import SYMBOL
from shared.domain.market.fallback import FallbackQuote
from shared.domain.telling.messages import MOST_FALLBACKS, FallbackAsked
from shared.domain.telling.unseen import PricesElsewhere
from shared.domain.telling.wording import clock
from shared.errors import Malformed, SourceError, SourceRefused, Unreadable
from shared.ports import LastPrices, Severity, Store, Write
from shared.usecases.base.desk import Desk, not_before, put, read_sound
from shared.usecases.telling.notices import announce

OUTDATED = timedelta(minutes=1)
SHOWN_FOR = timedelta(minutes=15)
"""After this a price from elsewhere is shown no more: it says nothing of now."""


def fetch(desk: Desk, source: LastPrices | None, ask: FallbackAsked, asked_at: datetime) -> None:
    """Fetch a last price of each symbol that is asked for; `source` is None where none may be asked."""
    if source is None:
        desk.journal.line("fallback_without_source", symbols=",".join(ask.symbols[:MOST_FALLBACKS]))
        return
    if desk.clock.now() - asked_at > OUTDATED:
        desk.journal.line("fallback_outdated", asked_at=asked_at.isoformat())
        return
    found = list[FallbackQuote]()
    for symbol in [name for name in ask.symbols if SYMBOL.fullmatch(name)][:MOST_FALLBACKS]:
        try:
            price = source.last(symbol)
        except (SourceError, Unreadable) as problem:
            kind = type(problem).__name__
            desk.journal.line(
                "source_failed", Severity.WARNING, source=source.name, symbol=symbol, kind=kind, detail=problem.detail
            )
            if isinstance(problem, SourceRefused):
                break
            continue
        if price is not None:
            usd, at = price
            now = desk.clock.now()
            found.append(FallbackQuote(
                symbol=symbol, last=usd, at=at, source=source.name, asked_at=now, since=ask.since
            ))  # fmt: skip
    if found:
        _keep(desk, found, ask)


def latest(
    store: Store, now: datetime, *, on_bad: Callable[[str], object] = lambda _: None
) -> dict[str, FallbackQuote]:
    """Give the prices from elsewhere that still say something, by symbol: asked for in the last quarter of an hour.

    `on_bad` is called with the path of one that cannot be read. Raises StoreDown.
    """
    found = dict[str, FallbackQuote]()
    for row in store.query("fallback_quotes", not_before("asked_at", now - SHOWN_FOR)):
        try:
            one = decode(FallbackQuote, row.data)
        except Malformed:
            on_bad(row.path)
        else:
            found[one.symbol] = one
    return found


def _keep(desk: Desk, found: list[FallbackQuote], ask: FallbackAsked) -> None:
    """Write the prices down, in one commit with the owner's notice where this outage was not told of yet."""
    before = (read_sound(desk, FallbackQuote, f"fallback_quotes/{one.symbol}") for one in found)
    told = any(row is not None and row.value.since == ask.since for row in before)
    writes: list[Write] = [put(f"fallback_quotes/{one.symbol}", one) for one in found]
    if not told:
        prices = tuple(f"{one.symbol} {one.last} USD, traded at {clock(one.at)}" for one in found)
        notice = PricesElsewhere(source=found[0].source, prices=prices, since=ask.since, at=desk.clock.now())
        writes.append(announce(desk, notice))
    desk.store.commit(writes)
    desk.journal.line("fallback_kept", symbols=",".join(one.symbol for one in found), source=found[0].source)
