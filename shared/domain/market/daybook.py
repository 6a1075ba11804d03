"""The day book: what one symbol did this session, gathered from quotes at one-second ticks.

Mutable on purpose: it is touched once a second for every symbol, so `observe` only compares and assigns, and
makes an object once a minute. Restored from its plain form it goes on exactly as if it had never stopped.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from shared.domain.base.calendar import TradingSession
from shared.domain.market.bars import Bar
from shared.domain.market.halts import HaltWatch
from shared.domain.market.quality import Sound
from shared.domain.market.quotes import Quote
from shared.errors import Malformed

MINUTE = timedelta(minutes=1)
OPENING_MINUTES = 15
_VERSION = 2
_NONE = "-"
_ZERO = Decimal(0)


class DayBook:
    """One symbol's session so far: minute bars from the first quote, opening range, extremes, volume.

    It is made of sound quotes; `halts` alone looks at the others, too. Prices in USD, volume in shares. The extremes
    and the opening range begin at the open, the bars with the first quote of the day. A minute without a quote has no
    bar: it stays missing, and nothing else fills it.
    """

    __slots__ = (
        "_base", "_close", "_end", "_high", "_last_at", "_low", "_open", "_opens_at", "_quoted_at",
        "_range_ends_at", "_range_high", "_range_low", "_range_minutes", "_rows", "_volume", "bars", "halts",
        "session", "session_high", "session_low",
    )  # fmt: skip

    def __init__(self, session: TradingSession) -> None:
        self.session = session
        self.bars: list[Bar] = []
        self._rows: list[str] = []
        self.session_high: Decimal | None = None
        self.session_low: Decimal | None = None
        self._opens_at = session.opens_at
        self._range_ends_at = session.opens_at + OPENING_MINUTES * MINUTE
        self._range_high = self._range_low = self._open = self._high = self._low = self._close = _ZERO
        self._range_minutes = 0
        self._base = self._volume = 0
        self._end: datetime | None = None
        self._last_at: datetime | None = None
        self._quoted_at: datetime | None = None
        self.halts = HaltWatch(session.opens_at)

    @property
    def day_volume(self) -> int:
        """Shares traded today as the last quote gave them; never falls."""
        return self._volume

    @property
    def all_bars(self) -> list[Bar]:
        """Every bar so far, the running one as it stands."""
        return [*self.bars, *([] if self._end is None else [self._running(self._end)])]

    @property
    def seen_at(self) -> datetime:
        """The tick of the last sound quote; the open, where there was none."""
        return self._last_at or self._opens_at

    def is_older(self, quote: Quote) -> bool:
        """Tell whether a quote is of an earlier instant than a sound one that came before it."""
        return self._quoted_at is not None and quote.at < self._quoted_at

    def observe(self, quote: Sound, at: datetime) -> bool:
        """Take one quote at a tick and tell whether it completed a bar; a tick from the past is ignored."""
        last_at = self._last_at
        if last_at is not None and at < last_at:
            return False
        self._last_at, self._quoted_at = at, quote.at
        price = quote.last
        closed = False
        if self._end is None or at >= self._end:
            closed = self._turn(quote, at)
        else:
            self._close = price
            if price > self._high:
                self._high = price
            elif price < self._low:
                self._low = price
        self._volume = max(self._volume, quote.day_volume)
        if at >= self._opens_at:
            self._stretch(price, at)
        return closed

    def take(self, bar: Bar) -> None:
        """Take a minute that is over, of a session that is known by its bars alone; the next one comes later."""
        self.bars.append(bar)
        self._last_at = self._quoted_at = bar.end
        self._volume += bar.volume
        if bar.end <= self._opens_at:
            return
        if bar.end <= self._range_ends_at:
            self._range_minutes += 1
        begun = bar.end - MINUTE
        self._stretch(bar.high, begun)
        self._stretch(bar.low, begun)

    def opening_range(self, at: datetime) -> tuple[Decimal, Decimal] | None:
        """Give low and high of the first 15 minutes, None while they run or when one was not watched."""
        if at < self._range_ends_at or self._range_minutes < OPENING_MINUTES:
            return None
        return self._range_low, self._range_high

    def _turn(self, quote: Sound, at: datetime) -> bool:
        """Close the running bar, if there is one, and begin the bar of this tick's minute."""
        closed = self._end is not None
        if self._end is not None:
            self.bars.append(self._running(self._end))
            self._rows.append(self._row(self.bars[-1]))
            self._base = self._volume
        else:
            self._base = self._volume = quote.day_volume
        self._open = self._high = self._low = self._close = quote.last
        self._end = at.replace(second=0, microsecond=0) + MINUTE
        if self._opens_at <= at < self._range_ends_at:
            self._range_minutes += 1
        return closed

    def _running(self, end: datetime) -> Bar:
        return Bar(
            end=end, open=self._open, high=self._high, low=self._low, close=self._close,
            volume=self._volume - self._base,
        )  # fmt: skip

    def _stretch(self, price: Decimal, at: datetime) -> None:
        if self.session_high is None or self.session_low is None:
            self.session_high = self.session_low = price
        elif price > self.session_high:
            self.session_high = price
        elif price < self.session_low:
            self.session_low = price
        if at < self._range_ends_at:
            self._range_high, self._range_low = self.session_high, self.session_low

    def to_plain(self) -> dict[str, str | int]:
        """Give the whole book as JSON data: bars as one text, minutes counted from the open.

        A bar is written once, when it is complete.
        """
        running = [self._row(self._running(self._end))] if self._end is not None else []
        return {
            "v": _VERSION,
            "day": self.session.day.isoformat(),
            "bars": ";".join([*self._rows, *running]),
            "at": _NONE if self._last_at is None else self._last_at.isoformat(),
            "high": _text(self.session_high),
            "low": _text(self.session_low),
            "range": f"{self._range_minutes} {self._range_low} {self._range_high}",
            "volume": self._volume,
            "quoted": _NONE if self._quoted_at is None else self._quoted_at.isoformat(),
            "halts": self.halts.to_plain(),
        }

    def _row(self, bar: Bar) -> str:
        minute = (bar.end - self._opens_at) // MINUTE
        return f"{minute} {bar.open} {bar.high} {bar.low} {bar.close} {bar.volume}"

    @classmethod
    def from_plain(cls, data: object, session: TradingSession) -> "DayBook":
        """Restore a book of this session; raises Malformed for what `to_plain` did not write for it."""
        try:
            book = cls._read(data, session)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, InvalidOperation) as problem:
            raise Malformed(f"not a day book: {problem!r}") from None
        if book.to_plain() != data:
            raise Malformed(f"not a day book of {session.day}")
        return book

    @classmethod
    def _read(cls, data: object, session: TradingSession) -> "DayBook":
        if not isinstance(data, dict):
            raise TypeError("no table")
        book = cls(session)
        rows = [row.split(" ") for row in data["bars"].split(";")] if data["bars"] else []
        bars = [book._bar(row) for row in rows]
        minutes, range_low, range_high = data["range"].split(" ")
        book._range_minutes = int(minutes)
        book._range_low, book._range_high = Decimal(range_low), Decimal(range_high)
        book.session_high, book.session_low = _price(data["high"]), _price(data["low"])
        book._volume = data["volume"]
        if type(book._volume) is not int:
            raise TypeError("volume is no whole number")
        book._quoted_at = None if data["quoted"] == _NONE else datetime.fromisoformat(data["quoted"])
        book.halts = HaltWatch.from_plain(data["halts"], session.opens_at)
        if bars:
            book.bars, running = bars[:-1], bars[-1]
            book._rows = [book._row(bar) for bar in book.bars]
            book._last_at = datetime.fromisoformat(data["at"])
            book._open, book._high, book._low, book._close = (
                running.open,
                running.high,
                running.low,
                running.close,
            )
            book._end, book._base = running.end, book._volume - running.volume
        return book

    def _bar(self, row: list[str]) -> Bar:
        minute, opened, high, low, close, volume = row
        return Bar(
            end=self._opens_at + int(minute) * MINUTE, open=Decimal(opened), high=Decimal(high),
            low=Decimal(low), close=Decimal(close), volume=int(volume),
        )  # fmt: skip


def watched_since(bars: Sequence[Bar], *, at: datetime, gap: timedelta, opens_at: datetime) -> datetime:
    """Give from when on a symbol is watched without a gap longer than this; the open, where it is so since then.

    That is the end of its first minute: when in it the first quote came, the bars do not say. `bars` are those that
    were completed before `at`, whose own minute runs.
    """
    begun = at.replace(second=0, microsecond=0) + MINUTE
    for bar in reversed(bars):
        if begun - bar.end > gap + MINUTE:
            break
        begun = bar.end
    return opens_at if begun <= opens_at + MINUTE else begun


class Joined:
    """Minute bars that began at or after `since`, joined one by one into longer bars, labelled by their end.

    A longer bar is complete when its last minute is there or any later minute is; `complete` has those, oldest first,
    `running` the one that is not. Of minutes that are missing nothing is made up.
    """

    __slots__ = ("_since", "_span", "complete", "running")

    def __init__(self, *, minutes: int, since: datetime) -> None:
        """Begin with no bar; raises ValueError for less than one minute."""
        if minutes < 1:
            raise ValueError(f"bars of {minutes} minutes: one minute is the shortest")
        self._since = since
        self._span = minutes * MINUTE
        self.complete: list[Bar] = []
        self.running: Bar | None = None

    def add(self, bar: Bar) -> None:
        """Take the next minute."""
        if bar.end <= self._since:
            return
        run = self.running
        if run is not None and run.end < bar.end:
            self.complete.append(run)
            run = None
        end = self._since - (self._since - bar.end) // self._span * self._span
        run = _begun(bar, end) if run is None else _joined(run, bar)
        if end == bar.end:
            self.complete.append(run)
            run = None
        self.running = run


def _begun(bar: Bar, end: datetime) -> Bar:
    return Bar(end=end, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume)


def _joined(run: Bar, bar: Bar) -> Bar:
    return Bar(
        end=run.end, open=run.open, high=max(run.high, bar.high), low=min(run.low, bar.low), close=bar.close,
        volume=run.volume + bar.volume,
    )  # fmt: skip


def joined_bars(bars: Sequence[Bar], *, minutes: int, since: datetime) -> list[Bar]:
    """Join minute bars that began at or after `since` into longer bars, complete or not (`Joined`)."""
    made = Joined(minutes=minutes, since=since)
    for bar in bars:
        made.add(bar)
    return made.complete if made.running is None else [*made.complete, made.running]


def _text(price: Decimal | None) -> str:
    return _NONE if price is None else str(price)


def _price(text: str) -> Decimal | None:
    return None if text == _NONE else Decimal(text)
