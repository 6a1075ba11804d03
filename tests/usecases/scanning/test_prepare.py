"""Before the session: a watched symbol that the broker does not quote is told the same morning, once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.one_machine.memory_store import MemoryStore
from shared.domain.market.quotes import Quotes
from shared.domain.telling.barred import SymbolsUnknown
from shared.errors import TokenDead
from shared.ports import Where
from shared.usecases.base import outbox
from shared.usecases.base.trading import Mandate, TradingDesk
from shared.usecases.market.mornings import morning_of
from shared.usecases.scanning.prepare import prepare
from tests.domain.made import OPENS, quote
from tests.usecases.bench import START, Bench
from tests.usecases.morning import Clock
from tests.usecases.post import SCAN, SilentBus

WATCHED = ("AIG", "GONE", "IBM", "OLD")


class Market:
    """A broker that quotes what it knows; `slow` are the symbols that it leaves out of its first answer.

    Its quotes are of `at`, with bid and ask so many `cents` beside 100.
    """

    def __init__(self, *known: str, slow: Sequence[str] = ()) -> None:
        self.known, self.slow, self.asked = known, tuple(slow), list[tuple[str, ...]]()
        self.dead, self.at, self.cents = False, OPENS, 1

    def quotes(self, symbols: Sequence[str]) -> Quotes:
        """Quote the symbols."""
        if self.dead:
            raise TokenDead("quotes")
        first = not self.asked
        self.asked.append(tuple(symbols))
        shown = [one for one in symbols if one in self.known and not (first and one in self.slow)]
        half = Decimal(self.cents) / 100
        plain = replace(quote(when=self.at), bid=100 - half, ask=100 + half)
        return Quotes({one: replace(plain, symbol=one) for one in shown})


class Asks(SilentBus):
    """A bus that counts how often history is asked for."""

    count = 0

    def publish(self, topic: str, data: bytes, **more: Any) -> str:
        """Count."""
        self.count += topic == "history-asks"
        return super().publish(topic, data, **more)


def desk(market: Market) -> TradingDesk:
    """Give the scan's desk over a store of its own."""
    plain = Bench().desks[SCAN]
    mandate = Mandate(account_id="key", capital_usd=Decimal(1000), watch_list=WATCHED)
    return replace(plain, store=MemoryStore(), clock=Clock(START), broker=market, mandate=mandate)  # type: ignore[arg-type]


def told(here: TradingDesk) -> list[tuple[str, ...]]:
    """Give the symbols of each notice that is promised."""
    rows = here.store.query("outbox", Where("topic", "==", outbox.NOTICES))
    found = [outbox.unpack(row.data["body"].encode()) for row in rows]
    return [notice.symbols for notice in found if isinstance(notice, SymbolsUnknown)]


def test_a_symbol_without_a_quote_is_told_once_a_session() -> None:
    """The morning's look and the one after the sign-in tell of the same symbols once, and of a new one then."""
    market = Market("AIG", "IBM", "OLD")
    here = desk(market)
    prepare(here, reason="schedule")
    assert told(here) == [("GONE",)]
    prepare(here, reason="signed-in")
    assert told(here) == [("GONE",)]
    market.known = ("AIG", "IBM")
    prepare(here, reason="signed-in")
    assert sorted(told(here)) == [("GONE",), ("OLD",)]


def test_it_is_told_again_the_next_session() -> None:
    """What is still without a quote the next morning is told again, as another event."""
    here = desk(Market("AIG", "IBM", "OLD"))
    prepare(here, reason="schedule")
    here.clock.sleep_until(START + timedelta(days=1))
    prepare(here, reason="schedule")
    assert told(here) == [("GONE",), ("GONE",)]


def test_what_the_broker_leaves_out_for_a_moment_is_not_told() -> None:
    """A symbol that the second answer has is known; only what both lack is told."""
    market = Market("AIG", "IBM", "OLD", slow=("IBM", "OLD"))
    here = desk(market)
    prepare(here, reason="schedule")
    assert market.asked == [WATCHED, ("GONE", "IBM", "OLD")]
    assert told(here) == [("GONE",)]


def test_previous_closes_are_handed_on_once() -> None:
    """The closes of quotes of this day are written down and asked about once; what says nothing new asks nothing."""
    here = desk(Market("AIG", "IBM"))
    prepare(here, reason="schedule")
    held = morning_of(here.store, START.date())
    assert held is not None
    assert held.value.closes == {"AIG": Decimal("99.00"), "IBM": Decimal("99.00")}
    prepare(here, reason="signed-in")
    again = morning_of(here.store, START.date())
    assert again is not None
    assert again.version == held.version
    here.clock.sleep_until(START + timedelta(days=1))
    prepare(here, reason="schedule")
    later = morning_of(here.store, START.date() + timedelta(days=1))
    assert later is not None
    assert later.value.closes == {}, "a quote of yesterday may speak of the day before yesterday"


@pytest.mark.parametrize("dead", [True, False])
def test_no_quote_of_any_symbol_is_no_matter_of_symbols(dead: bool) -> None:
    """Without a token, or while nothing is quoted yet, no symbol is called unknown."""
    market = Market()
    market.dead = dead
    here = desk(market)
    prepare(here, reason="schedule")
    assert told(here) == []


def test_the_spreads_are_kept_and_handed_on_once() -> None:
    """The last spread of each symbol is kept; its first one asks for the rank to be made anew, another does not."""
    market = Market("AIG", "IBM")
    asks = Asks()
    here = replace(desk(market), bus=asks)
    market.at, market.cents = START - timedelta(days=1), 1  # so it says nothing of the close of the day before

    prepare(here, reason="schedule")
    held = morning_of(here.store, START.date())
    assert held is not None
    assert (held.value.closes, held.value.spreads) == ({}, {"AIG": Decimal("2.00"), "IBM": Decimal("2.00")})
    market.cents = 2
    prepare(here, reason="sign-in")
    again = morning_of(here.store, START.date())
    assert again is not None
    assert (again.value.spreads["IBM"], asks.count) == (Decimal("4.00"), 1)
    market.known = ("AIG", "IBM", "OLD")
    prepare(here, reason="sign-in")
    assert asks.count == 2
