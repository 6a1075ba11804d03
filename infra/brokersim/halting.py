"""Halts of single symbols, over any market: what the tape says of such a while never comes, and nothing fills.

How a halt shows is not known of E*TRADE: its quotes stand still, or nothing is bid and offered, or a message of code
1043 says so beside the last quote and beside previews. The instant of a halted quote goes on, which is the worse case:
its age does not betray it. An order that is placed meanwhile waits for the first row after the halt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

from infra.brokersim.market import Market
from infra.brokersim.tape import Row

How = Literal["stands-still", "empty-book", "message-1043"]
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Halt:
    how: How
    since: datetime
    until: datetime = _NEVER


class HaltingMarket:
    """A market of which single symbols can be halted; satisfies `market.Market`."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._halts: dict[str, list[_Halt]] = {}

    @property
    def name(self) -> str:
        """The market's own name."""
        return self._market.name

    @property
    def day(self) -> date:
        """The market's own day."""
        return self._market.day

    @property
    def symbols(self) -> tuple[str, ...]:
        """The market's own symbols."""
        return self._market.symbols

    def previous_close(self, symbol: str) -> Decimal:
        """The market's own last close before the day."""
        return self._market.previous_close(symbol)

    def halt(self, symbol: str, how: How, at: datetime) -> None:
        """Halts a symbol from now on; KeyError for an unknown one."""
        if symbol not in self.symbols:
            raise KeyError(symbol)
        self.resume(symbol, at)
        self._halts.setdefault(symbol, []).append(_Halt(how, at))

    def resume(self, symbol: str, at: datetime) -> None:
        """Lets a symbol trade again."""
        for halt in self._halts.get(symbol, ()):
            halt.until = min(halt.until, at)

    def shows(self, symbol: str, at: datetime) -> How | None:
        """How a symbol's halt shows at an instant, None while it trades."""
        halt = self._halt_at(symbol, at)
        return None if halt is None else halt.how

    def message(self, symbol: str, at: datetime) -> tuple[int, str] | None:
        """Code and text of what the broker says of a symbol's halt at an instant, None where it says nothing."""
        return (1043, f"Trading in {symbol} is halted.") if self.shows(symbol, at) == "message-1043" else None

    def rows(self, symbol: str, after: datetime, upto: datetime) -> Iterator[Row]:
        """The rows with `after` < at <= `upto` that lie in no halt."""
        rows = self._market.rows(symbol, after, upto)
        if symbol not in self._halts:
            return rows
        return (row for row in rows if self._halt_at(symbol, row.at) is None)

    def quote(self, symbol: str, at: datetime) -> Row | None:
        """The last row that came; of a halted symbol with nothing bid and nothing offered, so that nothing fills."""
        row = self._market.quote(symbol, at)
        if row is not None and (before := self._halt_at(symbol, row.at)) is not None:
            row = self._market.quote(symbol, before.since)
        if row is None or self._halt_at(symbol, at) is None:
            return row
        return row._replace(bid_size=0, ask_size=0)

    def _halt_at(self, symbol: str, at: datetime) -> _Halt | None:
        return next((halt for halt in self._halts.get(symbol, ()) if halt.since < at <= halt.until), None)


def halted(row: Row, how: How, at: datetime) -> Row:
    """What a halted symbol shows at an instant, given its last row."""
    if how == "empty-book":
        nothing = Decimal("0.00")
        return row._replace(at=at, bid=nothing, bid_size=0, ask=nothing, ask_size=0)
    return row._replace(at=at)
