"""What a played day's market shows just now, as the simulated broker wants to see a market: nothing of it is ahead."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

from infra.backtest.day import Day, Tick
from infra.brokersim.tape import Row
from infra.results.facts import Mark
from shared.domain.market.quotes import Quote


class Shown:
    """The last quote of each symbol, and the one before it; satisfies `infra.brokersim.market.Market`.

    `held` are symbols that are held from the day before, each with its last price: the day may have nothing of them.
    """

    def __init__(self, day: Day, held: Mapping[str, Mark]) -> None:
        self.name = day.source
        self.day: date = day.session.day
        self.symbols = tuple(dict.fromkeys((*day.symbols, *held)))
        self._held = held
        self.quotes: dict[str, Quote] = {}
        self._before: dict[str, Quote] = {}

    def show(self, tick: Tick) -> None:
        """Take the day's next instant."""
        quotes, before = self.quotes, self._before
        for symbol, quote in tick.quotes.items():
            last = quotes.get(symbol)
            if last is not None and last.at != quote.at:
                before[symbol] = last
            quotes[symbol] = quote

    def quote(self, symbol: str, at: datetime) -> Row | None:
        """Give the last row at or before an instant that is not long ago, None before the first."""
        found = self.quotes.get(symbol)
        if found is not None and found.at > at:
            found = self._before.get(symbol)
        return None if found is None else _row(found)

    def rows(self, symbol: str, after: datetime, upto: datetime) -> Iterator[Row]:
        """Give the rows after one instant up to another: only the last can be new."""
        found = self.quotes.get(symbol)
        if found is not None and after < found.at <= upto:
            yield _row(found)

    def previous_close(self, symbol: str) -> Decimal:
        """Give the last close before the day as its quotes say it, the last price known where they do not."""
        found = self.quotes.get(symbol)
        return self._held[symbol].price if found is None else found.previous_close or found.last

    def last(self, symbol: str) -> Mark:
        """Give the last price of a symbol that is held or has a quote, with its instant."""
        found = self.quotes.get(symbol)
        return self._held[symbol] if found is None else Mark(at=found.at, price=found.last)


def _row(quote: Quote) -> Row:
    return Row(quote.at, quote.bid, quote.bid_size, quote.ask, quote.ask_size, quote.last, quote.day_volume)
