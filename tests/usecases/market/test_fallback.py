"""Prices from elsewhere: asked for when the broker's are missing, shown and told, and read by nobody who trades."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from infra.cli.status_words import status_lines
from infra.operations.look import money, overview
from shared.codec import decode
from shared.domain.market.fallback import FallbackQuote
from shared.domain.market.known import Glance
from shared.domain.market.quotes import Quotes
from shared.domain.telling.messages import FallbackAsked
from shared.domain.telling.unseen import PricesElsewhere
from shared.errors import NotSent, PermissionDenied, SourceDown, SourceRefused, Unreadable
from shared.guard import Guard, GuardedStore
from shared.ports import Put, Where
from shared.topology import TOPOLOGY, Right
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk, put, read
from shared.usecases.market.fallback import OUTDATED, SHOWN_FOR, fetch, latest
from shared.usecases.market.outages import EVERY, Outages
from tests.domain.made import OPENS, position
from tests.usecases.market.test_market_data import Home
from tests.usecases.morning import MorningBench

NOON = OPENS + timedelta(hours=2, minutes=30)
SINCE = NOON - timedelta(seconds=31)
WATCHED = tuple(f"W{number}" for number in range(20))


class Prices:
    """A source of last prices that a test scripts."""

    name = "yahoo"

    def __init__(self, answer: Callable[[str], tuple[Decimal, datetime] | None]) -> None:
        self.answer, self.asked = answer, list[str]()

    def last(self, symbol: str) -> tuple[Decimal, datetime] | None:
        """Answer as the script says."""
        self.asked.append(symbol)
        return self.answer(symbol)


def traded(usd: str = "51.20", *, ago: float = 20) -> Prices:
    """Give a source that says the same price of everything, traded so many seconds before noon."""
    return Prices(lambda _: (Decimal(usd), NOON - timedelta(seconds=ago)))


def fails(problem: Exception) -> Prices:
    """Give a source that fails."""

    def fail(_: str) -> None:
        raise problem

    return Prices(fail)


def bench() -> MorningBench:
    """Give `market_history`'s desk at noon."""
    made = MorningBench()
    made.clock.at = NOON
    return made


def asked(*symbols: str, since: datetime = SINCE) -> FallbackAsked:
    """Give the scan's ask."""
    return FallbackAsked(symbols=symbols, since=since)


def told(made: MorningBench) -> list[PricesElsewhere]:
    """Give the notices that are promised."""
    rows = made.file.query("outbox", Where("topic", "==", outbox.NOTICES))
    found = [outbox.unpack(decode(outbox.Row, row.data).body.encode()) for row in rows]
    return [one for one in found if isinstance(one, PricesElsewhere)]


def test_a_price_is_kept_with_its_source_and_told_once() -> None:
    """Each price has its source and both its instants; the owner hears of an outage once, and of the next one again."""
    made = bench()
    fetch(made.desk, traded(), asked("AIG", "IBM"), NOON)
    made.clock.at += EVERY
    fetch(made.desk, traded("51.30"), asked("AIG", "IBM"), made.clock.at)
    held = read(made.file, FallbackQuote, "fallback_quotes/AIG")
    assert held is not None
    assert (held.value.last, held.value.source, held.value.at, held.value.asked_at) == (
        Decimal("51.30"), "yahoo", NOON - timedelta(seconds=20), NOON + EVERY,
    )  # fmt: skip
    (notice,) = told(made)
    assert notice.prices[0] == "AIG 51.20 USD, traded at 11:59 ET"
    fetch(made.desk, traded(), asked("AIG", since=NOON), made.clock.at)
    assert len(told(made)) == 2


@pytest.mark.parametrize("problem", [SourceDown("no answer"), Unreadable("yahoo: chart.meta.x is missing")])
def test_a_source_that_fails_leaves_nothing(problem: Exception) -> None:
    """What one symbol's question fails with is in the journal, the next one is asked, and nothing is told."""
    made, source = bench(), fails(problem)
    fetch(made.desk, source, asked("AIG", "IBM"), NOON)
    assert (source.asked, made.file.query("fallback_quotes"), told(made)) == (["AIG", "IBM"], [], [])
    assert [line["kind"] for line in made.journal.named("source_failed")] == [type(problem).__name__] * 2


def test_a_refusal_ends_the_round() -> None:
    """After a refusal nothing more is asked."""
    made, source = bench(), fails(SourceRefused("429", wait_s=60))
    fetch(made.desk, source, asked("AIG", "IBM"), NOON)
    assert source.asked == ["AIG"]


def test_an_ask_that_comes_late_is_dropped() -> None:
    """An ask that waited for more than a minute asks nobody: another one has come since, or the outage is over."""
    made, source = bench(), traded()
    fetch(made.desk, source, asked("AIG"), NOON - OUTDATED - timedelta(seconds=1))
    fetch(made.desk, None, asked("AIG"), NOON)
    assert (source.asked, made.file.query("fallback_quotes")) == ([], [])
    assert made.journal.named("fallback_outdated")
    assert made.journal.named("fallback_without_source")


def test_a_forged_ask_asks_for_symbols_alone_and_for_few() -> None:
    """Whoever publishes an ask, no more than ten symbols are asked for, and nothing that is none."""
    made, source = bench(), traded()
    fetch(made.desk, source, asked("../quotes/AIG", "A B", *WATCHED), NOON)
    assert source.asked == list(WATCHED[:10])


class Bus:
    """A bus that keeps what is published, or fails."""

    def __init__(self) -> None:
        self.down = False
        self.sent: list[FallbackAsked] = []

    def publish(self, topic: str, data: bytes, **_: object) -> str:
        """Take one message."""
        if self.down:
            raise NotSent("no bus")
        message = outbox.unpack(data)
        assert isinstance(message, FallbackAsked)
        assert topic == "history-asks"
        self.sent.append(message)
        return "1"


class Scan:
    """The scan's part: looks each second for a while."""

    def __init__(self, after_s: float = 30) -> None:
        made = bench()
        self.bus, self.journal, self.at = Bus(), made.journal, NOON
        self.desk = Desk(
            actor="market_scan", clock=made.clock, chance=made.desk.chance, store=made.file, bus=self.bus,
            journal=made.journal,
        )  # fmt: skip
        self.outages = Outages(timedelta(seconds=after_s))

    def look(
        self, seconds: int, *, held: tuple[str, ...] = ("AIG",), watched: tuple[str, ...] = WATCHED,
        quoted: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Look for so many seconds while these are quoted."""
        for _ in range(seconds):
            self.outages.look(self.desk, held=held, asked=(*held, *watched), quoted=quoted, at=self.at)
            self.at += timedelta(seconds=1)


def test_what_has_no_quote_for_thirty_seconds_is_asked_for() -> None:
    """After 30 s without any quote what is held is asked for first, ten symbols in all, and again each minute."""
    scan = Scan()
    scan.look(30)
    assert scan.bus.sent == []
    scan.look(120)
    assert [one.symbols for one in scan.bus.sent] == [("AIG", *WATCHED[:9])] * 2
    assert {one.since for one in scan.bus.sent} == {NOON}


def test_a_moment_without_quotes_asks_for_nothing() -> None:
    """A quote in between begins the time anew, and a new outage has an instant of its own."""
    scan = Scan()
    for _ in range(5):
        scan.look(29)
        scan.look(1, quoted=("AIG", *WATCHED))
    assert scan.bus.sent == []
    scan.look(40)
    scan.look(60, quoted=("AIG", *WATCHED))
    scan.look(40)
    first, second = scan.bus.sent
    assert second.since - first.since == timedelta(seconds=100)


def test_beside_others_only_what_is_held_is_asked_for() -> None:
    """Where the broker quotes some, a held symbol that it leaves out is asked for, and a watched one is not."""
    scan = Scan()
    scan.look(40, quoted=WATCHED[1:])
    assert [one.symbols for one in scan.bus.sent] == [("AIG",)]


def test_what_was_not_asked_for_is_not_missing() -> None:
    """A watched symbol whose turn in the rounds does not come is asked for nowhere, however long that takes."""
    scan = Scan()
    scan.look(90, watched=(), quoted=("AIG",))
    scan.look(20, watched=())
    assert scan.bus.sent == []
    scan.look(40, watched=())
    assert [one.symbols for one in scan.bus.sent] == [("AIG",)]


def test_without_a_token_only_what_is_held_is_asked_for() -> None:
    """A scan that ends each minute for want of a token looks once a minute, and asks for what is held."""
    scan = Scan()
    for _ in range(3):
        scan.outages.look(scan.desk, held=("AIG",), asked=("AIG",), quoted=(), at=scan.at)
        scan.at += timedelta(minutes=1)
    assert [one.symbols for one in scan.bus.sent] == [("AIG",)] * 2


def test_a_bus_that_fails_costs_the_scan_nothing() -> None:
    """What cannot be published is journalled, and asked for again a minute later."""
    scan = Scan()
    scan.bus.down = True
    scan.look(40)
    assert scan.journal.named("fallback_not_asked")
    scan.bus.down = False
    scan.look(60)
    assert len(scan.bus.sent) == 1


def test_the_quote_of_the_owner_shows_it_as_second_hand() -> None:
    """Where the broker gives none it stands there with its source and its delay, and as no answer of the broker's."""
    home = Home()
    fetch(home.bench.desk, traded(), asked("AIG"), NOON)
    home.scanned("AIG", ago=90)
    home.answer = lambda _: Quotes({})
    found = home.data.quotes(["AIG", "IBM"])
    assert found["AIG"].value == Glance(symbol="AIG", last=Decimal("51.20"), second_hand=True)
    assert (found["AIG"].source, found["AIG"].age_s, found["AIG"].delayed, found["AIG"].fresh) == (
        "yahoo", 20, True, False,
    )  # fmt: skip
    assert found["AIG"].quality < Decimal("0.5")
    assert "nothing is traded on it" in found["AIG"].reasons[0]
    assert found["IBM"].value is None
    home.scanned("AIG", ago=5)
    assert home.data.quote("AIG").value != found["AIG"].value


def test_the_status_shows_it_while_the_scan_has_nothing_newer() -> None:
    """Beside a held symbol it is shown as not traded on, until the scan has a quote again, and a quarter of an hour."""
    home = Home()
    home.store.commit([put("positions/IBM", position())])
    fetch(home.bench.desk, traded(), asked("IBM", "AIG"), NOON)
    seen = overview(home.store, at=NOON, running=True)
    (line,) = [str(value) for name, value in status_lines(seen) if name == "NOT TRADED ON"]
    assert line.startswith("IBM 51.20 USD, says yahoo, its delay not known (traded 11:59:40, asked 12:00:00 New York)")
    unread: list[str] = []
    later = NOON + SHOWN_FOR + timedelta(minutes=1)
    assert money(home.store, [position()], [], later, unread=unread)[1] == ()
    home.clock.at += timedelta(seconds=30)
    home.scanned("IBM", ago=0)
    assert money(home.store, [position()], [], home.clock.at, unread=unread)[1] == ()
    home.store.commit([Put("fallback_quotes/IBM", {"asked_at": "2013-10-07T16:00:10Z"})])
    assert money(home.store, [position()], [], home.clock.at, unread=unread)[1] == ()
    assert unread == ["fallback_quotes/IBM"]


def test_no_function_that_trades_may_read_it() -> None:
    """The rights of every other function refuse the collection: market_history's alone hold it."""
    assert {one.name for one in TOPOLOGY.functions if "fallback_quotes" in one.collections} == {"market_history"}
    assert TOPOLOGY.function("market_history").collections["fallback_quotes"] & Right.WRITE
    made = bench()
    fetch(made.desk, traded(), asked("IBM"), NOON)
    for name in ("market_scan", "order_placement", "order_settlement"):
        store = GuardedStore(made.file, Guard(TOPOLOGY.function(name), made.journal))
        with pytest.raises(PermissionDenied):
            latest(store, NOON)
        with pytest.raises(PermissionDenied):
            store.get("fallback_quotes/IBM")
