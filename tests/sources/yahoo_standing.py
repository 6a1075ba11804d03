"""Yahoo's chart as it answers: all of it divided by every split until now, in 32-bit floats, with today's half day."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any

from shared.domain.base.calendar import instant
from shared.sources.reading import for_yahoo
from tests.sources.standing import Asked, Said, Standing, said

HOSTS = ("query1.finance.yahoo.com", "query2.finance.yahoo.com", "fc.yahoo.com", "guce.yahoo.com")
COOKIE, CRUMB = "A3=invented-cookie-of-a-test", "invented.crumb"
NOT_FOUND = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
NOTHING = {"code": "Bad Request", "description": "Data doesn't exist for startDate = 1, endDate = 2"}


@dataclass(kw_only=True)
class YahooStanding(Standing):
    """Answers for one share."""

    meta: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Said:
        """Answer one request."""
        self.asked.append(asked)
        if self.fault == "no cookie" and "chart" not in asked.path:
            return Said(status=500, body=b"<html></html>")
        if asked.host == "fc.yahoo.com":
            cookie = {"Set-Cookie": f"{COOKIE}; Domain=.yahoo.com; Path=/; Max-Age=31557600; Secure"}
            return Said(status=404, body=b"", headers=cookie)
        if asked.path == "/v1/test/getcrumb":
            return Said(body=b"Too Many Requests", status=429) if self.fault == "429" else Said(body=CRUMB.encode())
        if not asked.path.startswith("/v8/finance/chart/"):
            return Said(status=404, body=b"<html></html>")
        return self._chart(asked)

    def _chart(self, asked: Asked) -> Said:
        if self.fault == "429":
            return Said(status=429, body=b"Too Many Requests\r\n", headers=self.headers)
        if self.fault == "500":
            return Said(status=502, body=b"<html>")
        if self.fault == "401":
            return said({"finance": {"result": None, "error": {"code": "Unauthorized"}}}, 401)
        if self.fault == "long":
            return Said(body=b" " * (9 * 1024 * 1024))
        if asked.path.rpartition("/")[2] != for_yahoo(self.symbol):
            return said({"chart": {"result": None, "error": NOT_FOUND}}, 404)
        if self.fault == "nothing":
            return said({"chart": {"result": None, "error": NOTHING}}, 400)
        since, until = (int(asked.query[name]) for name in ("period1", "period2"))
        result = self._result(since, until)
        return said({"chart": {"result": [result], "error": None}}, slow=self.fault == "slow")

    def _result(self, since: int, until: int) -> dict[str, Any]:
        market = self.market
        meta = {
            "currency": "USD", "symbol": for_yahoo(self.symbol), "exchangeName": "NYQ", "instrumentType": "EQUITY",
            "exchangeTimezoneName": "America/New_York", "timezone": "EDT", "gmtoffset": -14400, "priceHint": 2,
            "dataGranularity": "1d", "range": "", "validRanges": ["1d", "5d", "max"],
            "regularMarketPrice": single(market.bars[-1].close), "regularMarketTime": int(self.now.timestamp()) - 7,
            **self.meta,
        }  # fmt: skip
        if self.fault == "no price":
            del meta["regularMarketPrice"]
        if self.fault == "empty":
            return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
        bars = [bar for bar in market.bars if since <= _opens(bar.day) < until]
        stamps = [_opens(bar.day) for bar in bars[:-1]] + [
            int(self.now.timestamp()) if bars[-1].day == self.now.date() else _opens(bars[-1].day)
        ]
        times = {"late split": 0, "split twice": 2}.get(self.fault, 1)
        known = {bar.day: market.factor(bar.day) ** times for bar in bars}
        quote: dict[str, list[Any]] = {
            name: [single(getattr(bar, name) / known[bar.day]) for bar in bars]
            for name in ("open", "high", "low", "close")
        }
        quote["volume"] = [int(bar.volume * known[bar.day]) for bar in bars]
        if self.fault == "hole":
            quote["open"][3] = None
        if self.fault == "format":
            quote["closing"] = quote.pop("close")
        if self.fault == "kind":
            quote["close"] = [str(one) for one in quote["close"]]
        result = {"meta": meta, "timestamp": stamps, "indicators": {"quote": [quote], "adjclose": [{}]}}
        if self.fault == "twice":
            _repeat(stamps, quote, at=3)
        return result | ({"events": events} if (events := self._events(since, until)) else {})

    def _events(self, since: int, until: int) -> dict[str, Any]:
        splits = {}
        for split in self.market.splits:
            if since <= (at := _opens(split.day)) < until:
                new, old = max(split.ratio, Decimal(1)), max(1 / split.ratio, Decimal(1))
                for key in (str(at), f"{at}-again") if self.fault == "twice" else (str(at),):
                    splits[key] = {"date": at, "numerator": float(new), "denominator": float(old), "splitRatio": "made"}
        dividends = {
            str(at): {"date": at, "amount": float(one.usd / self.market.factor(one.day))}
            for one in self.market.dividends
            if since <= (at := _opens(one.day)) < until
        }
        return {name: rows for name, rows in (("splits", splits), ("dividends", dividends)) if rows}


def single(price: Decimal) -> float:
    """Round a price to a 32-bit float and print it as a double, as Yahoo does: 180.47 is 180.47000122070312."""
    rounded: float = struct.unpack("<f", struct.pack("<f", price))[0]
    return rounded


def _opens(day: date) -> int:
    return int(instant(day, time(9, 30)).timestamp())


def _repeat(stamps: list[int], quote: dict[str, list[Any]], *, at: int) -> None:
    stamps.insert(at, stamps[at])
    for column in quote.values():
        column.insert(at, column[at])
