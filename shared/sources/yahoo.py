"""Yahoo's daily bars over yfinance, without a key.

What can go wrong: yfinance's own history of a ticker answers with the same empty table for a symbol that is none, a
question that failed and a format that it no longer reads; it loses the printed digits, and asks for a time zone first.
It keeps cookies, pickled, in a folder of the user's, and logs what it asks. What this promises: of yfinance the part
that fetches is used, with its cookie and crumb, on a session that we give it (`yahoo_session`); the chart is read here
(`yahoo_chart`). Its caches are off: they get a folder that cannot be made, and it does without them. It starts no
thread, and neither it nor its helpers log anything.

Yahoo gives no promise that this may be asked, or goes on as it is: it is the source for who has no other.
Source: yfinance 1.7, `data.py`, `cache.py` and `scrapers/history.py`.
"""

import logging
import os
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.domain.base.calendar import instant, new_york_day, next_midnight
from shared.domain.market.series import Series
from shared.errors import DeskError, SourceDown, SourceRefused
from shared.ports import Clock
from shared.sources import yahoo_chart
from shared.sources.allowance import Allowance, Budget
from shared.sources.reading import for_yahoo, over_before

if TYPE_CHECKING:
    from shared.sources.yahoo_session import YahooSession

PER_MINUTE, PER_DAY = 30, 500
"""Yahoo names no limit; a universe of a hundred symbols is asked within four minutes."""
WITHIN_S = 20.0
MADE = "chart, its splits given back"

_NOWHERE = f"{os.devnull}/off"
_TALKATIVE = ("yfinance", "peewee", "curl_cffi", "urllib3")
_GOOD = 200
_NO_ENTRY = frozenset({401, 403})


class Yahoo:
    """The source "yahoo"; the library is loaded at the first question."""

    name = "yahoo"

    def __init__(
        self,
        *,
        clock: Clock,
        budget: Budget | None = None,
        proxy: str | None = None,
        verify: str | None = None,
        within_s: float = WITHIN_S,
    ) -> None:
        self._clock = clock
        self._allowance = Allowance(self.name, clock=clock, per_minute=PER_MINUTE, per_day=PER_DAY, budget=budget)
        self._proxy = proxy
        self._verify = verify
        self._within_s = within_s
        self._session: YahooSession | None = None

    def daily(self, symbol: str, *, start: date, before: date) -> Series | None:
        """Give the daily bars from `start` on and strictly before a day, with the splits and dividends up to that day.

        None where Yahoo knows no such symbol. Raises SourceDown, SourceRefused or Unreadable.
        """
        now = self._clock.now()
        end = over_before(before, now)
        if start >= end:
            return Series(symbol=symbol, bars=(), source=self.name, made=MADE, at=now)
        given = yahoo_chart.read(self._asked(for_yahoo(symbol), start, now))
        if given is None:
            return None
        chart = yahoo_chart.as_traded(given, today=new_york_day(now))
        return Series(
            symbol=symbol,
            bars=tuple(bar for bar in chart.bars if start <= bar.day < end),
            source=self.name,
            made=MADE,
            at=now,
            splits=tuple(one for one in chart.splits if start <= one.day <= before),
            dividends=tuple(one for one in chart.dividends if start <= one.day <= before),
        )

    def last(self, symbol: str) -> tuple[Decimal, datetime] | None:
        """Give a symbol's last price in USD and when it was traded; whether it is delayed Yahoo does not say.

        None where Yahoo knows none. Raises SourceDown, SourceRefused or Unreadable.
        """
        now = self._clock.now()
        return yahoo_chart.last(self._asked(for_yahoo(symbol), new_york_day(now), now), now=now)

    def _asked(self, spelled: str, start: date, now: datetime) -> bytes:
        """Ask for the chart up to now, whatever is wanted of it: its prices are divided by every split until then."""
        from curl_cffi.requests.exceptions import RequestException
        from yfinance.exceptions import YFException

        from shared.sources.yahoo_session import Told

        fetching = self._fetching()
        params = {
            "period1": int(instant(start, time(0)).timestamp()),
            "period2": int(next_midnight(now).timestamp()),
            "interval": "1d",
            "events": "div,splits",
            "includePrePost": "false",
        }
        failure: DeskError
        try:
            answer = fetching.get(yahoo_chart.CHART + quote(spelled, safe=""), params=params)
        except Told as told:
            return told.body
        except (YFException, RequestException) as problem:
            failure = SourceDown(f"yahoo: yfinance got no chart ({type(problem).__name__})")
        else:
            if answer.status_code == _GOOD:
                body: bytes = answer.content
                return body
            if answer.status_code in _NO_ENTRY:
                failure = SourceRefused(f"yahoo: it does not serve us (status {answer.status_code})")
            else:
                failure = SourceDown(f"yahoo: status {answer.status_code}")
        # Raised outside the handler: the library's error, which holds the address, is not even its context.
        raise failure

    def _fetching(self) -> Any:
        """Give yfinance's fetching part, of which a process has one, with this source's session in it."""
        import yfinance
        from yfinance.data import YfData

        from shared.sources.yahoo_session import YahooSession

        if self._session is None:
            yfinance.set_tz_cache_location(_NOWHERE)
            for name in _TALKATIVE:
                logging.getLogger(name).setLevel(logging.CRITICAL)
            self._session = YahooSession(
                allowance=self._allowance, within_s=self._within_s, verify=self._verify, proxy=self._proxy
            )
        self._session.begin()
        return YfData(session=self._session)
