"""Alpaca's data API as it answers: bars of the tape, pages, corporate actions found by their process date."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from shared.domain.base.calendar import instant
from shared.domain.market.bars import DailyBar
from tests.sources.standing import Asked, Said, Standing, said

KEY_ID, SECRET = "INVENTED-KEY-ID", "invented-secret-of-a-test"
PAGE = 25
PAID_LATER = timedelta(days=40)


@dataclass(kw_only=True)
class AlpacaStanding(Standing):
    """Answers for one share, `page` rows at a time."""

    page: int = PAGE

    def __call__(self, asked: Asked) -> Said:
        """Answer one request."""
        self.asked.append(asked)
        given = (asked.headers.get("APCA-API-KEY-ID"), asked.headers.get("APCA-API-SECRET-KEY"))
        if given != (KEY_ID, SECRET):
            return Said(status=403, body=b"forbidden.")
        if self.fault == "429":
            return said({"message": "too many requests."}, 429, headers=self.headers)
        if self.fault == "500":
            return said({"message": "internal server error"}, 500)
        slow = self.fault == "slow"
        if asked.path == "/v2/stocks/bars":
            return self._bars(asked, slow)
        return self._actions(asked) if asked.path == "/v1/corporate-actions" else said({"message": "not found"}, 404)

    def _bars(self, asked: Asked, slow: bool) -> Said:
        since, until = _instant(asked.query["start"]), _instant(asked.query["end"])
        if until > self.now - timedelta(minutes=15) and asked.query["feed"] == "sip":
            return said({"message": "subscription does not permit querying recent SIP data"}, 403)
        symbol = asked.query["symbols"]
        if "-" in symbol:
            return said({"message": f"invalid symbol: {symbol}"}, 400)
        if symbol != self.symbol or self.fault == "empty":
            return said({"bars": {}, "next_page_token": None})
        rows = self._minutes() if asked.query["timeframe"] == "1Min" else [self._row(bar) for bar in self.market.bars]
        rows = [row for row in self._said(rows) if since <= _instant(row["t"]) <= until]
        at = int(asked.query.get("page_token", "0"))
        following = str(at + self.page) if at + self.page < len(rows) else None
        if self.fault == "no end":
            at, following = 0, "0"
        return said({"bars": {symbol: rows[at : at + self.page]}, "next_page_token": following}, slow=slow)

    def _said(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows for _ in range(2 if self.fault == "twice" else 1)]

    def _row(self, bar: DailyBar) -> dict[str, Any]:
        begins = instant(bar.day, time(0))
        row = {
            "c": float(bar.close), "h": float(bar.high), "l": float(bar.low), "n": 900, "o": float(bar.open),
            "t": begins.strftime("%Y-%m-%dT%H:%M:%SZ"), "v": bar.volume, "vw": float(bar.close),
        }  # fmt: skip
        if self.fault == "format":
            row["close"] = row.pop("c")
        if self.fault == "kind":
            row["c"] = str(row["c"])
        return row

    def _minutes(self) -> list[dict[str, Any]]:
        bar = self.market.bars[-2]
        opens = instant(bar.day, time(9, 29))
        every = [self._row(bar) | {"t": (opens + timedelta(minutes=at)).isoformat()} for at in (0, 1, 2, 5, 390, 391)]
        return [row | {"t": row["t"].replace("+00:00", "Z")} for row in every]

    def _actions(self, asked: Asked) -> Said:
        start, end = date.fromisoformat(asked.query["start"]), date.fromisoformat(asked.query["end"])
        if end - start > timedelta(days=366):
            return said({"message": "the range is longer than a year"}, 422)
        found: dict[str, list[dict[str, Any]]] = {}
        for split in self.market.splits:
            kind = "forward_splits" if split.ratio > 1 else "reverse_splits"
            rates = {"new_rate": float(split.ratio), "old_rate": 1} if split.ratio > 1 else {
                "new_rate": 1, "old_rate": float(1 / split.ratio),
            }  # fmt: skip
            found.setdefault(kind, []).append(_action(self.symbol, split.day, split.day) | rates)
        for dividend in self.market.dividends:
            row = _action(self.symbol, dividend.day, dividend.day + PAID_LATER) | {
                "rate": float(dividend.usd),
                "special": False,
            }
            found.setdefault("cash_dividends", []).append(row)
        inside = {
            kind: [row for row in self._said(rows) if start <= date.fromisoformat(row["process_date"]) <= end]
            for kind, rows in found.items()
            if kind[:-1] in asked.query["types"].split(",")
        }
        return said({"corporate_actions": {k: rows for k, rows in inside.items() if rows}, "next_page_token": None})


def _action(symbol: str, ex: date, process: date) -> dict[str, Any]:
    return {"symbol": symbol, "cusip": "084670702", "ex_date": ex.isoformat(), "process_date": process.isoformat()}


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
