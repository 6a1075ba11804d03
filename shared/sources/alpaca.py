"""Alpaca's bars over alpaca-py: the consolidated tape, unadjusted, and beside it what its corporate actions say.

What can go wrong: the free plan has bars of all exchanges, but none of the last fifteen minutes, and refuses a question
that reaches into them; a split is known only to another question, and bars without it are wrong by its ratio; a
dividend is found by the day on which it is paid, weeks after the one on which the price falls. What this promises: the
question ends well before now; a series is given with its splits and dividends or not at all. Those are looked for until
`_PAID_LATE` after the last day, a year at a time (a longer range was refused to others), and taken by their ex-date,
each once. Prices are as Alpaca prints them, digit by digit.

Alpaca tells a symbol without a bar in a range from one that it does not know by nothing: both are None here. A spin-off
or a rights issue is neither a split nor a dividend in cash: the price falls, and nothing here says why.
Sources: alpaca-py's historical clients; docs.alpaca.markets, historical bars, corporate actions and their FAQ.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from shared.domain.base.calendar import instant, new_york_day, session_of
from shared.domain.market.bars import Bar, DailyBar
from shared.domain.market.series import Dividend, Series, Split
from shared.errors import DeskError, Unreadable
from shared.ports import Clock
from shared.sources.allowance import Allowance, Budget
from shared.sources.alpaca_wire import AlpacaWire, NotKnown
from shared.sources.reading import day_in, each_day, for_alpaca, in_order, number, over_before, part, shares

ADDRESS = "https://data.alpaca.markets"
PER_MINUTE, PER_DAY = 100, 5_000
"""The free plan has 200 calls a minute and names no limit of a day."""
WITHIN_S = 10.0
MADE = "consolidated tape, unadjusted"

_NOT_SERVED = timedelta(minutes=16)
_PAID_LATE = timedelta(days=120)
_YEAR = timedelta(days=360)
_MINUTE = timedelta(minutes=1)
_BAR, _ACTIONS = "alpaca: bars", "alpaca: corporate_actions"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AlpacaKey:
    """The two parts of a key of Alpaca's."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return "AlpacaKey(hidden)"


class Alpaca:
    """The source "alpaca"; the library is loaded at the first question."""

    name = "alpaca"

    def __init__(
        self,
        key: AlpacaKey,
        *,
        clock: Clock,
        budget: Budget | None = None,
        address: str = ADDRESS,
        verify: str | bool = True,
        within_s: float = WITHIN_S,
    ) -> None:
        self._key = key
        self._clock = clock
        self._address = address
        allowance = Allowance(self.name, clock=clock, per_minute=PER_MINUTE, per_day=PER_DAY, budget=budget)
        self._wire = AlpacaWire(address, allowance=allowance, within_s=within_s, verify=verify)
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Give the daily bars from `start` on and strictly before a day, with the splits and dividends up to that day.

        None where Alpaca has no bar of the symbol there. Raises SourceDown, SourceRefused or Unreadable.
        """
        now = self._clock.now()
        end = over_before(before, now)
        if start >= end:
            return Series(symbol=symbol, bars=(), source=self.name, made=MADE, at=now)
        spelled = for_alpaca(symbol)
        rows = self._rows(spelled, "Day", instant(start, time(0)), instant(end, time(0)))
        bars = each_day(_daily(row) for row in rows)
        if not bars:
            return None
        splits, dividends = self._actions(spelled, start, before)
        kept = tuple(bar for bar in bars if start <= bar.day < end)
        return Series(symbol=symbol, bars=kept, source=self.name, made=MADE, at=now, splits=splits, dividends=dividends)

    def minutes(self, symbol: str, *, day: date) -> tuple[Bar, ...]:
        """Give the 1-minute bars of a day's regular session that are over; a minute without a trade has none.

        Raises as `daily`, and ValueError for a day that the trading calendar does not know.
        """
        session = session_of(day)
        if session is None or session.opens_at >= self._clock.now() - _NOT_SERVED:
            return ()
        rows = self._rows(for_alpaca(symbol), "Minute", session.opens_at, session.closes_at)
        bars = sorted((_minute(row) for row in rows), key=lambda bar: bar.end)
        return tuple(bar for bar in bars if session.opens_at < bar.end <= session.closes_at)

    def _rows(self, spelled: str, frame: str, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
        """Ask for the bars that begin from `since` on and before `until`."""
        from alpaca.data.enums import Adjustment, DataFeed
        from alpaca.data.historical.stock import StockHistoricalDataClient
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

        last = min(until - timedelta(microseconds=1), self._clock.now() - _NOT_SERVED)
        wanted = StockBarsRequest(
            symbol_or_symbols=spelled, timeframe=TimeFrame(1, TimeFrameUnit[frame]), start=since, end=last,
            adjustment=Adjustment.RAW, feed=DataFeed.SIP,
        )  # fmt: skip
        client = self._led_here(StockHistoricalDataClient)
        answer = self._asked(lambda: client.get_stock_bars(wanted))
        rows: list[Mapping[str, Any]] = part(answer, spelled, list, where=_BAR) if spelled in answer else []
        return rows

    def _actions(self, spelled: str, start: date, before: date) -> tuple[tuple[Split, ...], tuple[Dividend, ...]]:
        """Ask for what happened to the share from `start` up to and with `before`, by ex-date."""
        from alpaca.data.enums import CorporateActionsType as Kind
        from alpaca.data.historical.corporate_actions import CorporateActionsClient
        from alpaca.data.requests import CorporateActionsRequest

        kinds = [Kind.FORWARD_SPLIT, Kind.REVERSE_SPLIT, Kind.STOCK_DIVIDEND, Kind.CASH_DIVIDEND]
        client = self._led_here(CorporateActionsClient)
        found: dict[str, list[Any]] = {}
        for since, until in _windows(start, before + _PAID_LATE):
            wanted = CorporateActionsRequest(symbols=[spelled], types=kinds, start=since, end=until)
            answer = self._asked(partial(client.get_corporate_actions, wanted))
            for kind in answer:
                found.setdefault(kind, []).extend(part(answer, kind, list, where=_ACTIONS))
        splits = [_split(row) for kind in ("forward_splits", "reverse_splits") for row in found.get(kind, ())]
        splits += [_in_shares(row) for row in found.get("stock_dividends", ())]
        dividends = [_dividend(row) for row in found.get("cash_dividends", ())]
        return (
            tuple(one for one in in_order(splits) if start <= one.day <= before),
            tuple(one for one in in_order(dividends) if start <= one.day <= before),
        )

    def _led_here(self, kind: Callable[..., Any]) -> Any:
        """Make one of the library's clients, whose calls all pass our wire and ask nothing of the environment."""
        client = kind(self._key.key_id, self._key.secret, raw_data=True, url_override=self._address)
        session = client._session  # noqa: SLF001 - the library takes no session; requests lets any be mounted
        session.trust_env = False
        session.headers["Accept-Encoding"] = "identity"
        for scheme in ("https://", "http://"):
            session.mount(scheme, self._wire)
        return client

    def _asked(self, question: Callable[[], Any]) -> Mapping[str, Any]:
        """Let the library ask; what it cannot read is Unreadable, a symbol that is none has no rows."""
        self._wire.begin()
        failure: DeskError
        try:
            answer = question()
        except NotKnown:
            return {}
        except (ValueError, TypeError, AttributeError, KeyError) as problem:
            failure = Unreadable(f"alpaca: alpaca-py cannot read the answer ({type(problem).__name__})")
        else:
            if isinstance(answer, Mapping):
                return answer
            failure = Unreadable("alpaca: the answer is no object")
        raise failure


def _daily(row: Mapping[str, Any]) -> DailyBar:
    return DailyBar(day=new_york_day(_begins(row)), volume=_volume(row), **_prices(row))


def _minute(row: Mapping[str, Any]) -> Bar:
    return Bar(end=_begins(row) + _MINUTE, volume=_volume(row), **_prices(row))


def _prices(row: Mapping[str, Any]) -> dict[str, Decimal]:
    return {name: number(row, name[0], where=_BAR) for name in ("open", "high", "low", "close")}


def _volume(row: Mapping[str, Any]) -> int:
    return shares(part(row, "v", object, where=_BAR), f"{_BAR}.v")


def _begins(row: object) -> datetime:
    text = part(row, "t", str, where=_BAR)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise Unreadable(f"{_BAR}.t is no instant") from None


def _windows(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Give the days from the first to the last, a year at a time, both ends included."""
    while first <= last:
        yield first, min(first + _YEAR, last)
        first += _YEAR + timedelta(days=1)


def _split(row: Mapping[str, Any]) -> Split:
    day = day_in(row, "ex_date", where=_ACTIONS)
    return Split(day=day, ratio=number(row, "new_rate", where=_ACTIONS) / number(row, "old_rate", where=_ACTIONS))


def _in_shares(row: Mapping[str, Any]) -> Split:
    """Read a dividend that is paid in shares: 0.05 of a share for each makes 1.05 of one."""
    return Split(day=day_in(row, "ex_date", where=_ACTIONS), ratio=1 + number(row, "rate", where=_ACTIONS))


def _dividend(row: Mapping[str, Any]) -> Dividend:
    return Dividend(day=day_in(row, "ex_date", where=_ACTIONS), usd=number(row, "rate", where=_ACTIONS))
