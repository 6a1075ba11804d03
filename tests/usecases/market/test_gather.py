"""Daily bars come from their sources in order; what fails costs nothing that is stored, and is told once a day."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from infra.one_machine.history import MarketHistory
from shared.domain.base.calendar import session_of
from shared.domain.market.series import Series, Split, adjusted_closes
from shared.domain.telling.barred import SourceKeyBad
from shared.errors import Busy, SourceDown, SourceError, SourceKeyRefused, SourceRefused, StoreDown, Unreadable
from shared.gcp.threads import Threads
from shared.ports import Delete, Put
from shared.strategies.view import quality
from shared.topology import ALPACA_KEY, TOPOLOGY
from shared.usecases.base.desk import put
from shared.usecases.market.warmth import prepared
from shared.wiring import Platform
from shared.wiring.market_history import NO_KEY, Sources
from shared.wiring.rooms import room
from tests.domain.days import TODAY, bar, series, sessions
from tests.doors.fakes import ListVault
from tests.usecases.morning import MorningBench, Scripted

TOMORROW = TODAY + timedelta(days=1)
PAIR = b'{"key_id":"an-id","secret":"a-half"}'
NAMES = ("AIG", "IBM", "MSFT", "ORCL", "X")


def gives(count: int, source: str = "yahoo") -> Scripted:
    """Give a source that knows so many sessions of every symbol."""
    return Scripted(source, lambda symbol, before: series(count, before=before, symbol=symbol, source=source))


def fails(problem: Exception, source: str = "yahoo") -> Scripted:
    """Give a source that always fails."""

    def fail(_symbol: str, _before: date) -> Series | None:
        raise problem

    return Scripted(source, fail)


def test_the_first_source_that_has_all_is_the_last_that_is_asked() -> None:
    """Sources are asked in their order, and no further than needed; a later message of the day asks none again."""
    first, second = gives(259, "alpaca"), gives(259)
    bench = MorningBench(first, second)
    bench.gather()
    bench.gather()
    assert (first.asked, second.asked) == (["IBM"], [])
    found = bench.history()
    assert found is not None
    assert (found.source, found.mixed, len(found.bars)) == ("alpaca", False, 259)


def test_what_one_source_lacks_the_next_fills() -> None:
    """A short series is filled from the next source, and is marked as of two makes."""
    bench = MorningBench(gives(5, "alpaca"), gives(255))
    bench.gather()
    found = bench.history()
    assert found is not None
    assert (found.source, found.mixed, len(found.bars)) == ("alpaca+yahoo", True, 255)


_BAD: dict[str, Scripted] = {
    "is gone": fails(SourceDown("nobody there")),
    "refuses": fails(SourceRefused("too many", wait_s=60)),
    "has changed its form": fails(Unreadable("no such field")),
    "doubles a day": Scripted("yahoo", lambda _symbol, _before: series(0, bars=(bar(date(2013, 10, 3)),) * 2)),
    "knows nothing": Scripted("yahoo", lambda _symbol, _before: None),
    "is empty": Scripted("yahoo", lambda _, before: series(0)),
}


@pytest.mark.parametrize("what", _BAD)
def test_a_source_that_gives_nothing_costs_nothing(what: str) -> None:
    """The next source is asked; the morning after, with no source left, yesterday's bars stay, with their age."""
    bad, good = _BAD[what], gives(250, "alpaca")
    bench = MorningBench(bad, good)
    bench.gather()
    first = bench.history()
    assert first is not None
    assert (first.source, len(first.bars)) == ("alpaca", 250)
    bench.next_morning(TOMORROW)
    bench.plan = replace(bench.plan, sources=(*bench.plan.sources[:2], bad, fails(SourceDown("gone"), "alpaca")))
    bench.gather()
    after = bench.history()
    assert after is not None
    assert (after.bars, after.at) == (first.bars, first.at)
    held = prepared(bench.desk)
    assert held is not None
    assert held.value.days == {"IBM": 250}


def test_that_no_source_answers_is_told_once_a_day() -> None:
    """With every source outside down the owner hears it once a session, and again the next day."""
    bench = MorningBench(fails(SourceDown("no answer"), "alpaca"), fails(SourceRefused("429")), watched=NAMES)
    bench.gather()
    bench.gather()
    (told,) = bench.told()
    assert (told.known, told.asked, told.session) == (0, 5, TODAY)
    assert told.why == "alpaca: no answer; yahoo: 429"
    bench.next_morning(TOMORROW)
    bench.gather()
    assert [one.session for one in bench.told()] == [TODAY, TOMORROW]


def test_one_source_that_answers_is_no_news() -> None:
    """Where one source answers, the failure of the others is in the journal alone."""
    bench = MorningBench(fails(SourceDown("no answer"), "alpaca"), gives(250), watched=NAMES)
    bench.gather()
    assert bench.told() == []
    assert {line["source"] for line in bench.journal.named("source_failed")} == {"alpaca"}


def test_without_any_source_outside_nothing_has_failed() -> None:
    """Who trades on days of our own alone is told of no failure: status says how many are needed."""
    bench = MorningBench()
    bench.gather()
    assert (bench.told(), bench.history()) == ([], None)


def test_a_source_that_fails_again_and_again_is_left_alone() -> None:
    """Three failures in a row end the asking for this run; a success between them does not."""
    dead = fails(SourceDown("no answer"))
    bench = MorningBench(dead, watched=NAMES)
    bench.gather()
    assert dead.asked == list(NAMES[:3])
    answers: list[SourceError | None] = [SourceDown("a"), SourceDown("b"), None, SourceDown("c"), SourceDown("d")]

    def flicker(symbol: str, before: date) -> Series | None:
        problem = answers.pop(0)
        if problem is not None:
            raise problem
        return series(250, before=before, symbol=symbol)

    shaky = Scripted("yahoo", flicker)
    MorningBench(shaky, watched=NAMES).gather()
    assert shaky.asked == list(NAMES)


def test_a_source_that_refuses_is_not_asked_before_its_time() -> None:
    """After a refusal the source rests as long as it said, also over messages, and is then asked again."""
    proud = fails(SourceRefused("429", wait_s=600))
    bench = MorningBench(proud, watched=NAMES)
    bench.gather()
    bench.gather()
    assert len(proud.asked) == 1
    bench.clock.at += timedelta(seconds=601)
    bench.gather()
    assert len(proud.asked) == 2


def test_a_slow_source_costs_deliveries_and_no_answer() -> None:
    """Where the time does not suffice the message comes again and goes on where the last one ended."""
    bench = MorningBench(watched=NAMES)

    def slow(symbol: str, before: date) -> Series:
        bench.clock.at += timedelta(seconds=100)
        return series(250, before=before, symbol=symbol, source="yahoo", at=bench.clock.at)

    source = Scripted("yahoo", slow)
    bench.plan = replace(bench.plan, sources=(source,))
    with pytest.raises(Busy, match="2 symbols"):
        bench.gather()
    bench.gather()
    assert source.asked == list(NAMES)
    assert all(bench.history(name) is not None for name in NAMES)


def function(bench: MorningBench, vault: ListVault, order: str) -> Platform:
    """Give the world of the function with a vault and an order of sources."""
    environ = {"STRATEGY_WATCH_LIST": "IBM", "STRATEGY_CAPITAL_USD": "1000", "STRATEGY_HISTORY_SOURCES": order}
    return Platform(
        function=TOPOLOGY.function("market_history"), environ=environ, clock=bench.clock, chance=bench.desk.chance,
        side_by_side=Threads(bench.clock), store=bench.file, bus=bench.desk.bus, vault=vault, journal=bench.journal,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("order", "keyed", "names"),
    [
        ("own,file", True, ["own", "file"]),
        ("yahoo,own", True, ["yahoo", "own"]),
        ("own,file,alpaca,yahoo", True, ["own", "file", "alpaca", "yahoo"]),
        ("alpaca,file", False, ["file"]),
    ],
)
def test_the_setting_orders_the_sources(order: str, keyed: bool, names: list[str]) -> None:
    """The function asks those that it names, in its order; a simulated market's own days stand for all."""
    bench, vault = MorningBench(), ListVault()
    if keyed:
        vault.add(ALPACA_KEY, PAIR)
    platform = function(bench, vault, order)
    assert [one.name for one in Sources(platform, room(platform)).plan().sources] == names
    simulated = replace(platform, history=MarketHistory({}))
    plan = Sources(simulated, room(simulated)).plan()
    assert ([one.name for one in plan.sources], plan.skipped) == (["market"], {})


def test_a_key_that_is_stored_later_is_found_and_an_old_one_is_left() -> None:
    """Without a key Alpaca is left out, in the journal and in status; a key counts from the next message on."""
    bench, vault = MorningBench(), ListVault()
    platform = function(bench, vault, "own,alpaca")
    sources = Sources(platform, room(platform))
    bench.plan = sources.plan()
    bench.gather()
    held = prepared(bench.desk)
    assert held is not None
    assert held.value.skipped == {"alpaca": NO_KEY}
    (line,) = bench.journal.named("source_left_out")
    assert (line["source"], line["why"]) == ("alpaca", NO_KEY)
    assert bench.journal.named("source_failed") == []
    vault.add(ALPACA_KEY, PAIR)
    first, again = sources.plan(), sources.plan()
    assert (first.keys, first.skipped) == ({"alpaca": "1"}, {})
    assert first.sources[1] is again.sources[1]
    vault.add(ALPACA_KEY, PAIR.replace(b"an-id", b"another"))
    assert sources.plan().sources[1] is not first.sources[1]


@pytest.mark.parametrize("how", ["no object", "half", "the vault is down"])
def test_a_key_that_cannot_be_read_costs_alpaca_alone(how: str) -> None:
    """The other sources are asked, and why Alpaca is not is written down without the secret."""
    vault = ListVault()
    vault.add(ALPACA_KEY, {"half": b'{"key_id":"CANARY"}'}.get(how, b"CANARY"))
    if how == "the vault is down":
        vault.broken["versions"] = StoreDown("no answer")
    platform = function(MorningBench(), vault, "alpaca,file")
    plan = Sources(platform, room(platform)).plan()
    assert [one.name for one in plan.sources] == ["file"]
    assert ("no answer" if "vault" in how else "store it again") in plan.skipped["alpaca"]
    assert "CANARY" not in plan.skipped["alpaca"]


def test_a_key_that_is_refused_is_told_once() -> None:
    """The owner hears once of a key that Alpaca does not take, again of another one, and of none that is taken."""
    answers: list[Exception | None] = [SourceKeyRefused("403"), SourceKeyRefused("403"), SourceKeyRefused("403"), None]

    def answer(symbol: str, before: date) -> Series:
        problem = answers.pop(0)
        if problem is not None:
            raise problem
        return series(250, before=before, symbol=symbol)

    bench = MorningBench(Scripted("alpaca", answer), gives(250))
    refused = []
    for day, version in enumerate(("1", "1", "2", "2"), start=1):
        bench.plan = replace(bench.plan, keys={"alpaca": version})
        bench.gather()
        held = prepared(bench.desk)
        assert held is not None
        refused.append(held.value.refused)
        bench.next_morning(TODAY + timedelta(days=day))
    assert refused == [{"alpaca": "1"}, {"alpaca": "1"}, {"alpaca": "2"}, {}]
    assert [one.version for one in bench.told(SourceKeyBad)] == ["1", "2"]
    assert bench.told() == []


def test_an_asked_symbol_is_gathered_and_a_forged_one_is_not() -> None:
    """A message may name a symbol beside the watch list; what can be no symbol is left out."""
    source = gives(250)
    MorningBench(source).gather("ORCL", "../owner", "x" * 30, "")
    assert source.asked == ["IBM", "ORCL"]


def test_a_source_does_not_choose_its_name() -> None:
    """Bars are written down as of the source that was asked, whatever it calls itself."""
    bench = MorningBench(Scripted("yahoo", lambda _, before: series(250, before=before, source="own")))
    bench.gather()
    found = bench.history()
    assert found is not None
    assert found.source == "yahoo"


def test_an_imported_series_comes_before_those_outside() -> None:
    """What the owner imported is used first, and costs no call where it is enough."""
    source = gives(250)
    bench = MorningBench(source)
    bench.file.commit([put("imports/IBM", series(255, source="file"))])
    bench.gather()
    assert source.asked == []
    found = bench.history()
    assert found is not None
    assert found.source == "file"


def test_an_import_that_is_taken_out_is_not_traded_on() -> None:
    """Bars of a file that its owner took out are forgotten, also where no source has others; damage forgets nothing."""
    bench = MorningBench(fails(SourceDown("gone")))
    bench.file.commit([put("imports/IBM", series(255, source="file"))])
    bench.gather()
    bench.file.commit([Put("imports/IBM", {"symbol": "IBM"})])
    bench.gather()
    assert bench.history() is not None
    bench.file.commit([Delete("imports/IBM")])
    bench.gather()
    assert bench.history() is None


def test_a_damaged_document_of_ours_is_a_source_that_fails() -> None:
    """An import that cannot be read is journalled, and the next source serves."""
    bench = MorningBench(gives(250))
    bench.file.commit([Put("imports/IBM", {"symbol": "IBM"})])
    bench.gather()
    found = bench.history()
    assert found is not None
    assert found.source == "yahoo"
    assert [line["source"] for line in bench.journal.named("source_failed")] == ["file"]


def test_documents_of_the_work_that_cannot_be_read_are_made_anew() -> None:
    """Damaged documents of our own stop no morning: they are reported, and written again."""
    bench = MorningBench(gives(250))
    damaged = ("prepared/history", "gathered/IBM", "own_days/IBM", "history/IBM")
    bench.file.commit([Put(path, {"x": 1}) for path in damaged])
    bench.said(TODAY, IBM="100")
    bench.gather()
    found, held = bench.history(), prepared(bench.desk)
    assert found is not None
    assert held is not None
    assert (found.source, held.value.days) == ("yahoo", {"IBM": 250})


def test_a_split_in_the_middle_is_known_and_divides_nothing_stored() -> None:
    """Bars before a split stay as they were traded; their average is in shares of today."""
    days = sessions(250)
    split = Split(day=days[200], ratio=Decimal(2))
    closes = dict.fromkeys(days[200:], "50")
    bench = MorningBench(Scripted("yahoo", lambda _, before: series(250, closes=closes, splits=(split,))))
    bench.gather()
    found = bench.history()
    assert found is not None
    assert {str(one.close) for one in found.bars[:200]} == {"100"}
    assert set(adjusted_closes(found.bars, found.splits, on=TODAY)) == {Decimal(50)}


def test_a_gap_of_a_fortnight_lowers_the_quality() -> None:
    """Of a series with a long gap only what came after it counts for quality, as status will say."""
    whole = series(250).bars
    bench = MorningBench(Scripted("yahoo", lambda _, before: series(0, bars=(*whole[:200], *whole[220:]))))
    bench.gather()
    held = prepared(bench.desk)
    assert held is not None
    assert held.value.days == {"IBM": 30}
    assert quality(30) < quality(250)


def test_a_day_of_rest_asks_nobody() -> None:
    """On a Sunday nothing is asked and nothing written."""
    source = gives(250)
    bench = MorningBench(source)
    bench.next_morning(date(2013, 10, 6))
    assert session_of(date(2013, 10, 6)) is None
    bench.gather()
    assert (source.asked, bench.history()) == ([], None)
    assert isinstance(bench.clock.now(), datetime)
