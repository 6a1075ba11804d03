"""Spells quotes: the hot path of a market day, so each symbol's text is kept until its next row.

`dateTime`/`dateTimeUTC` tell when the quote last changed, so that a client can see a stale one. Source: fact
sheet, section 2.1. Before the open, today's open, high and low are 0. Fundamental fields are constants that
cannot be mistaken for data (0), except the company name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from infra.brokersim.halting import HaltingMarket, halted
from infra.brokersim.market import Row
from infra.brokersim.tape import NEW_YORK
from infra.brokersim.wire import JSON, Answer, Refused, Request, json_answer

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_ZERO = Decimal(0)
_FLAGS = ("ALL", "INTRADAY")
_REGULAR = "REALTIME"
_DELAY = timedelta(minutes=15)
_MOST_FOUND = 10
_BEFORE, _AFTER = timedelta(hours=5, minutes=30), timedelta(hours=4)


@dataclass(slots=True, kw_only=True)
class _Day:
    """What has happened to one symbol so far, and the text that says so."""

    symbol: str
    previous_close: Decimal
    upto: datetime = _ALWAYS
    row: Row | None = None
    open: Decimal = _ZERO
    high: Decimal = _ZERO
    low: Decimal = _ZERO
    traded: datetime = _ALWAYS
    text: str = ""
    text_for: tuple[str, str] = ("", "")


class _Look(NamedTuple):
    """What the detail blocks of one quote have in common."""

    row: Row
    clock: str
    change: Decimal
    percent: Decimal
    traded: int
    phase: str


class QuoteBook:
    """Answers `GET /v1/market/quote/...` from a market; time only moves forward.

    With `delayed` it answers an account that has not signed the agreement on real-time quotes: what was a quarter of an
    hour ago, and the word DELAYED. `adjusted` are the symbols whose quotes say that earlier prices were adjusted.
    """

    def __init__(
        self,
        market: HaltingMarket,
        *,
        hours: tuple[datetime, datetime],
        adjusted: frozenset[str],
        delayed: bool = False,
    ) -> None:
        self._market = market
        self._behind, self._status = (_DELAY, "DELAYED") if delayed else (timedelta(0), "REALTIME")
        self._opens, self._closes = hours
        self._adjusted = adjusted
        self._symbols = frozenset(market.symbols)
        self._days: dict[str, _Day] = {}
        self._clock_text: dict[int, str] = {}

    def answer(self, symbols_text: str, request: Request, at: datetime) -> Answer:
        """Quotes of comma-separated symbols; unknown ones as messages 1019, too many refused 1023 or 1025."""
        query = {name.lower(): value for name, value in request.query.items()}
        symbols = [symbol for symbol in symbols_text.upper().split(",") if symbol]
        many = query.get("overridesymbolcount", "").lower() == "true"
        if len(symbols) > (50 if many else 25):
            limit, code = ("50", 1025) if many else ("25", 1023)
            raise Refused(f"The number of symbols is more than {limit}.", code=code)
        flag = query.get("detailflag", "ALL").upper()
        if flag not in _FLAGS:
            raise Refused("Invalid detail flag; the simulator knows ALL and INTRADAY.", code=1020)
        return Answer(200, JSON, self._body(symbols, flag, at).encode())

    def _body(self, symbols: Sequence[str], flag: str, at: datetime) -> str:
        phase = self._phase(at)
        known: list[str] = []
        messages: list[dict[str, object]] = []
        for symbol in dict.fromkeys(symbols):
            if symbol not in self._symbols:
                messages.append(_message(1019, f"{symbol} is an invalid symbol."))
            elif text := self._text(symbol, flag, phase, at - self._behind):
                known.append(text)
                if (halt := self._market.message(symbol, at)) is not None:
                    messages.append(_message(*halt))
            else:
                messages.append(_message(1002, f"{symbol} could not be fetched."))
        parts = [f'"QuoteData":[{",".join(known)}]'] if known else []
        if messages:
            parts.append(f'"Messages":{json.dumps({"Message": messages}, separators=(",", ":"))}')
        return f'{{"QuoteResponse":{{{",".join(parts)}}}}}'

    def _phase(self, at: datetime) -> str:
        """The status that the quotes carry: of the regular session, or else of the extended one
        (04:00-20:00).
        """
        if self._opens <= at < self._closes:
            return _REGULAR
        extended = self._opens - _BEFORE <= at < self._closes + _AFTER
        return "EH_REALTIME" if extended else "EH_CLOSED"

    def _text(self, symbol: str, flag: str, phase: str, at: datetime) -> str:
        """The JSON of one symbol; empty before its first row of the day."""
        day = self._days.get(symbol)
        if day is None:
            day = self._days[symbol] = _Day(symbol=symbol, previous_close=self._market.previous_close(symbol))
        if at > day.upto:
            for row in self._market.rows(symbol, day.upto, at):
                self._absorb(day, row)
                day.text_for = ("", "")
            day.upto = at
        if day.row is None:
            return ""
        if (how := self._market.shows(symbol, at)) is not None:
            return self._spell(day, halted(day.row, how, at), flag, phase)
        if day.text_for != (flag, phase):
            day.text, day.text_for = self._spell(day, day.row, flag, phase), (flag, phase)
        return day.text

    def _absorb(self, day: _Day, row: Row) -> None:
        before, day.row = day.row, row
        if before is None or row.day_volume != before.day_volume or row.last != before.last:
            day.traded = row.at
            if self._opens <= row.at < self._closes:
                day.open = day.open or row.last
                day.high = max(day.high, row.last)
                day.low = min(day.low or row.last, row.last)

    def _spell(self, day: _Day, row: Row, flag: str, phase: str) -> str:
        seconds = int(row.at.timestamp())
        clock = self._clock(seconds, row.at)
        change = row.last - day.previous_close
        percent = round(change * 100 / day.previous_close, 2)
        look = _Look(row, clock, change, percent, int(day.traded.timestamp()), phase)
        detail = _intraday(day, look) if flag == "INTRADAY" else _all(day, look, adjusted=day.symbol in self._adjusted)
        status, after_hours = (self._status, "false") if phase == _REGULAR else ("CLOSING", "true")
        return (
            f'{{"dateTime":"{clock}","dateTimeUTC":{seconds},"quoteStatus":"{status}",'
            f'"ahFlag":"{after_hours}","hasMiniOptions":false,{detail},'
            f'"Product":{{"symbol":"{day.symbol}","securityType":"EQ"}}}}'
        )

    def _clock(self, seconds: int, at: datetime) -> str:
        """`15:17:00 EDT 06-20-2018`, worked out once a second for all symbols."""
        text = self._clock_text.get(seconds)
        if text is None:
            if len(self._clock_text) > 64:
                self._clock_text.clear()
            text = self._clock_text[seconds] = f"{at.astimezone(NEW_YORK):%H:%M:%S %Z %m-%d-%Y}"
        return text


def lookup(symbols: Sequence[str], search: str) -> Answer:
    """At most ten symbols that have the text in them or in their name (section 2.2); 200 without `Data` for none."""
    rows = [
        {"symbol": symbol, "description": f"{symbol} COM", "type": "EQUITY"}
        for symbol in symbols
        if search.upper() in f"{symbol} COM"
    ]
    return json_answer({"LookupResponse": {"Data": rows[:_MOST_FOUND]} if rows else {}})


def _message(code: int, description: str) -> dict[str, object]:
    return {"description": description, "code": code, "type": "WARNING"}


def _intraday(day: _Day, look: _Look) -> str:
    row = look.row
    return (
        f'"Intraday":{{"ask":{row.ask},"bid":{row.bid},"changeClose":{look.change},'
        f'"changeClosePercentage":{look.percent},"companyName":"{day.symbol} COM","high":{day.high},'
        f'"lastTrade":{row.last},"low":{day.low},"totalVolume":{row.day_volume}}}'
    )


def _all(day: _Day, look: _Look, *, adjusted: bool) -> str:
    row, clock, name = look.row, look.clock, f"{day.symbol} COM"
    extended = "" if look.phase == _REGULAR else f",{_extended(look)}"
    return (
        f'"All":{{"adjustedFlag":{"true" if adjusted else "false"},'
        f'"ask":{row.ask},"askSize":{row.ask_size},"askTime":"{clock}",'
        f'"bid":{row.bid},"bidExchange":" ","bidSize":{row.bid_size},"bidTime":"{clock}",'
        f'"changeClose":{look.change},"changeClosePercentage":{look.percent},"companyName":"{name}",'
        f'"daysToExpiration":0,"dirLast":"{1 if look.change >= 0 else 2}","dividend":0,"eps":0,'
        f'"estEarnings":0,"high":{day.high},"lastTrade":{row.last},"low":{day.low},"open":{day.open},'
        f'"openInterest":0,"optionStyle":"","optionUnderlier":"","previousClose":{day.previous_close},'
        f'"primaryExchange":"NYSE","symbolDescription":"{name}","totalVolume":{row.day_volume},"upc":0,'
        f'"cashDeliverable":0,"marketCap":0,"sharesOutstanding":0,"nextEarningDate":"","beta":0,"yield":0,'
        f'"pe":0,"timeOfLastTrade":{look.traded}{extended}}}'
    )


def _extended(look: _Look) -> str:
    row, zone = look.row, look.row.at.astimezone(NEW_YORK).tzname()
    return (
        f'"ExtendedHourQuoteDetail":{{"lastPrice":{row.last},"change":{look.change},'
        f'"percentChange":{look.percent},"bid":{row.bid},"bidSize":{row.bid_size},"ask":{row.ask},'
        f'"askSize":{row.ask_size},"volume":{row.day_volume},"timeOfLastTrade":{look.traded},'
        f'"timeZone":"{zone}","quoteStatus":"{look.phase}"}}'
    )
