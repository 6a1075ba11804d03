"""One interface to the market's data: quotes, bars and sessions, each with source, age, delay and quality.

What can go wrong: the broker is asked again for what it said just now; it does not answer, and what an earlier minute
left, or what somebody else says, is taken for its word; a cache answers when a decision is due. What this promises: a
question is answered by the first of three that can: what this instance was told within the kind's time, what is stored
and as young, whoever gives it anew; where that fails, the last that is stored, however old, or a newer price from
elsewhere, each marked so. How many were asked and who served them is counted (`served`).

Who uses it: the owner's commands and programs of their own. The functions that trade do not, on purpose: the scan asks
the broker each second and a tenth of that is too old for a cache to help; an entry is judged on a quote that its sender
asks for itself (`appraise`, `last_check`). What they read of each other's goes the one way that this goes, too:
`losses.last_quote`, `warmth.known_days`, `own_bars.minutes_of`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from shared.domain.base.calendar import new_york_day
from shared.domain.broker.tickets import SYMBOL
from shared.domain.market.bars import Interval
from shared.domain.market.intervals import Bars
from shared.domain.market.known import WHOLE, Glance, Hours, Known, age, glance, hours, unknown
from shared.domain.market.quality import graded
from shared.domain.market.quotes import Quote, Quotes, QuoteStatus
from shared.errors import BrokerError
from shared.frozen import frozen
from shared.usecases.base.desk import Desk
from shared.usecases.base.kept import Kept, Served
from shared.usecases.market import bars_stored
from shared.usecases.market.fallback import latest
from shared.usecases.market.warmth import prepared
from shared.usecases.orders.losses import last_quote, quotes_since

QUOTE_LIFE = timedelta(seconds=1)
RUNNING_BAR_LIFE, BARS_LIFE = timedelta(minutes=1), timedelta(days=1)
"""Bars of a session under way, and all others, are kept for so long, or until history is gathered anew."""
MOST_QUOTES, MOST_HISTORIES = 400, 32
AGE_MAX_S, SPREAD_MAX_BPS = 10, Decimal(40)
"""By these limits of the configuration that ships a quote is graded; nothing is decided on the grade."""
NOW, KEPT, STORED, OLD = "asked now", "kept for a second", "stored by the scan", "the last that the scan stored"
ELSEWHERE = "asked elsewhere by market_history"
_SECOND_HAND = Decimal("0.1")
Ask = Callable[[Sequence[str]], Quotes]


@frozen
class _Found:
    quote: Quote
    made: str
    trouble: str = ""


@frozen
class _Stamped:
    """An answer on bars, and when the history was gathered that it rests on."""

    known: Known[Bars]
    gathered: datetime | None


@dataclass(slots=True)
class Counts:
    """How the questions of each kind were answered; a session is reckoned and counted nowhere."""

    quote: Served = field(default_factory=Served)
    history: Served = field(default_factory=Served)


class MarketData:
    """The market's data over one desk; `ask` quotes symbols anew at `broker`, None where nobody can be asked.

    It belongs to one thread. Raises what `ask` raises but BrokerError, and StoreDown.
    """

    def __init__(self, desk: Desk, *, broker: str, ask: Ask | None = None) -> None:
        self._desk = desk
        self._ask = ask
        self._broker = broker
        self._quotes: Kept[Quote] = Kept(MOST_QUOTES)
        self._histories: Kept[_Stamped] = Kept(MOST_HISTORIES)
        self.served = Counts()

    def quote(self, symbol: str) -> Known[Glance]:
        """Give what is known of one symbol's market."""
        return self.quotes([symbol])[symbol.strip().upper()]

    def quotes(self, symbols: Sequence[str]) -> dict[str, Known[Glance]]:
        """Give what is known of each symbol's market, in the order asked, small letters raised."""
        wanted = tuple(dict.fromkeys(symbol.strip().upper() for symbol in symbols))
        named = [symbol for symbol in wanted if SYMBOL.fullmatch(symbol)]
        self.served.quote.asked += len(wanted)
        found, troubles = self._at_hand(named), dict[str, str]()
        left = [symbol for symbol in named if symbol not in found]
        if left:
            more, troubles = self._anew(left)
            found |= more
        now = self._desk.clock.now()
        known = {
            symbol: self._quoted(found[symbol], now) if symbol in found
            else unknown(troubles.get(symbol, "no symbol"), source=self._broker)
            for symbol in wanted
        }  # fmt: skip
        known |= self._elsewhere({symbol: known[symbol] for symbol in troubles}, now) if troubles else {}
        self.served.quote.none += sum(one.value is None for one in known.values())
        return known

    def history(self, symbol: str, start: date, end: date, interval: Interval = Interval.DAY) -> Known[Bars]:
        """Give the bars from a day to another, both included, as they were traded, from what is stored.

        Raises ValueError for what is no symbol, for days that cannot be meant, or for too many of them.
        """
        if not SYMBOL.fullmatch(symbol):
            raise ValueError(f"{symbol[:30]!r} is no symbol")
        name, counts, now = f"{symbol} {start} {end} {interval}", self.served.history, self._desk.clock.now()
        counts.asked += 1
        held = prepared(self._desk)
        gathered = None if held is None else held.value.at
        kept = self._histories.get(name, now)
        if kept is not None and kept.gathered == gathered:
            counts.instance += 1
            at = kept.known.at
            return kept.known if at is None else replace(kept.known, age_s=age(at, now))
        if interval is Interval.DAY:
            known = bars_stored.daily(self._desk, symbol, start, end)
        else:
            known = bars_stored.within(self._desk, symbol, start, end, interval)
        running = interval is not Interval.DAY and end >= new_york_day(now)
        until = now + (RUNNING_BAR_LIFE if running else BARS_LIFE)
        self._histories.put(name, _Stamped(known=known, gathered=gathered), until)
        counts.store += known.value is not None
        counts.none += known.value is None
        return known

    def session(self, day: date) -> Known[Hours]:
        """Give a day's session, no value on a day of rest; raises ValueError for a day beyond the calendar.

        It is reckoned, not read: the calendar itself keeps the days that were asked for.
        """
        now = self._desk.clock.now()
        found = hours(day, now)
        return Known(
            value=found, source="the exchange", made="of the calendar that ships", at=now, age_s=0.0, quality=WHOLE,
            reasons=() if found else ("a day of rest",),
        )  # fmt: skip

    def _at_hand(self, symbols: Sequence[str]) -> dict[str, _Found]:
        """Give the quotes that are as young as a cache may be: this instance's, else the scan's."""
        now, served = self._desk.clock.now(), self.served.quote
        found = {symbol: _Found(quote=one, made=KEPT) for symbol in symbols if (one := self._quotes.get(symbol, now))}
        served.instance += len(found)
        if len(found) < len(symbols):
            young = {one.symbol: one for one in quotes_since(self._desk, now - QUOTE_LIFE)}
            new = {
                symbol: _Found(quote=young[symbol], made=STORED)
                for symbol in symbols if symbol in young and symbol not in found
            }  # fmt: skip
            served.store += len(new)
            found |= new
        return found

    def _anew(self, symbols: Sequence[str]) -> tuple[dict[str, _Found], dict[str, str]]:
        """Ask the broker, and give what it or else the store has, however old, and why it has none of some."""
        given, troubles = self._asked(symbols)
        until = self._desk.clock.now() + QUOTE_LIFE
        for symbol, quote in given.items():
            self._quotes.put(symbol, quote, until)
        self.served.quote.source += len(given)
        found = {symbol: _Found(quote=quote, made=NOW) for symbol, quote in given.items()}
        for symbol, trouble in troubles.items():
            if (old := last_quote(self._desk, symbol)) is not None:
                found[symbol] = _Found(quote=old, made=OLD, trouble=trouble)
                self.served.quote.store += 1
        return found, troubles

    def _asked(self, symbols: Sequence[str]) -> tuple[Mapping[str, Quote], dict[str, str]]:
        """Give what the broker quotes, and of each other symbol why it does not."""
        if self._ask is None:
            return {}, dict.fromkeys(symbols, "nobody was asked for a new one")
        failed = f"{self._broker} gave no usable answer"
        try:
            given = self._ask(symbols)
        except BrokerError as problem:
            return {}, dict.fromkeys(symbols, f"{failed}: {problem.detail}")
        troubles = dict.fromkeys(symbols, f"{self._broker} does not know it, or gives no quote that can be used")
        troubles |= dict.fromkeys(given.unasked, "it was not asked for: its turn did not come")
        troubles |= {symbol: f"{failed}: {problem.detail}" for symbol, problem in given.failed.items()}
        return given.heard, {symbol: why for symbol, why in troubles.items() if symbol not in given.heard}

    def _elsewhere(self, known: Mapping[str, Known[Glance]], now: datetime) -> dict[str, Known[Glance]]:
        """Give a price from elsewhere of those for which one is stored that is newer than what is known."""
        found = {}
        for symbol, one in latest(self._desk.store, now).items():
            before = known.get(symbol)
            if before is not None and (before.at is None or before.at < one.at):
                found[symbol] = Known(
                    value=Glance(symbol=symbol, last=one.last, second_hand=True), source=one.source, made=ELSEWHERE,
                    at=one.at, age_s=age(one.at, now), quality=_SECOND_HAND, fresh=False, delayed=True,
                    reasons=(f"it is not of {self._broker}: nothing is traded on it", "its delay is not known"),
                )  # fmt: skip
                self.served.quote.store += before.value is None
        return found

    def _quoted(self, found: _Found, now: datetime) -> Known[Glance]:
        quote = found.quote
        grade = graded(quote, now=now, max_age_s=AGE_MAX_S, spread_max_bps=SPREAD_MAX_BPS)
        return Known(
            value=glance(quote), source=self._broker, made=found.made, at=quote.at,
            age_s=age(quote.at, now), quality=grade.value, fresh=not found.trouble,
            reasons=(*([found.trouble] if found.trouble else []), *grade.reasons),
            delayed=quote.status is QuoteStatus.DELAYED,
        )  # fmt: skip
