"""Quotes that cannot be believed, through the real scan: none of them buys or moves a stop, and time still sells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.base.values import PriceType
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.domain.orders.positions import Position
from shared.domain.telling.doubted import HeldHalted, SourcesDiffer
from shared.errors import Malformed, NotSent
from shared.strategies.config import load
from shared.usecases.base.desk import put, read
from shared.usecases.market.warmth import Warmth
from shared.usecases.scanning.scan import scan
from tests.domain.days import series
from tests.domain.made import OPENS, at, session
from tests.usecases.stage import BEGUN, HELD, MINUTE, SECOND, WATCHED, Said, Stage, sound, stage

RULES = load("demo").quotes
FAR, NEAR = Decimal(150), Decimal(50)
"""Prices of what cannot be believed: believed, one would reach the target and lift the stop, the other sell at once."""
BEGINS = at(BEGUN)


def _priced(seen: Quote, price: Decimal) -> Quote:
    return replace(seen, bid=price, ask=price + Decimal("0.02"), last=price)


Fault = Callable[[Quote], Said]
FAULTS: dict[str, Fault] = {
    "STALE": lambda seen: replace(seen, at=seen.at - timedelta(seconds=11)),
    "FUTURE": lambda seen: replace(seen, at=seen.at + timedelta(seconds=3)),
    "CROSSED": lambda seen: replace(seen, bid=seen.ask + 1),
    "ZERO": lambda seen: replace(seen, bid=Decimal(0)),
    "NAN": lambda seen: replace(seen, last=Decimal("NaN")),
    "NO_SIZE": lambda seen: replace(seen, ask_size=0),
    "HALTED": lambda seen: replace(seen, halted=True),
    "DELAYED": lambda seen: replace(seen, status=QuoteStatus.DELAYED),
    "NOT_REALTIME": lambda seen: replace(seen, status=QuoteStatus.CLOSING),
    "SOURCE": lambda seen: replace(seen, source="yahoo"),
    "NO_QUOTE": lambda _: None,
    "NotSent": lambda _: NotSent("the market module is down"),
}
SIGNS = frozenset({"ZERO", "NO_SIZE", "HALTED"})


@dataclass(frozen=True, slots=True)
class Block:
    """So many seconds in which every quote has this fault, "" for none; `price` is what it then says of the held."""

    fault: str
    seconds: int
    price: Decimal = FAR
    lift: int = 0


@dataclass(slots=True)
class Plan:
    """A script made of blocks, one after the other; `mend` is what a mistaken reading makes of a quote."""

    blocks: Sequence[Block]
    mend: Callable[[Said, Quote], Said] = lambda said, _: said

    def block(self, now: datetime) -> Block:
        """Give the block of a tick; the last one lasts."""
        passed = (now - BEGINS) // SECOND
        ends = accumulate(block.seconds for block in self.blocks)
        return next((block for block, end in zip(self.blocks, ends, strict=True) if passed < end), self.blocks[-1])

    def bad(self, tick: datetime) -> bool:
        """Tell whether the quotes of a tick cannot be believed."""
        return bool(self.block(tick).fault)

    def __call__(self, symbol: str, now: datetime) -> Said:
        """Say what the broker says at a tick."""
        block, seen = self.block(now), sound(symbol, now)
        if not block.fault:
            return _priced(seen, seen.last + Decimal(block.lift) / 100) if symbol == HELD else seen
        priced = _priced(seen, block.price) if symbol == HELD else seen
        return self.mend(FAULTS[block.fault](priced), seen)


def check(played: Stage, plan: Plan) -> None:
    """Check that nothing was bought, moved or sold on a quote that could not be believed."""
    pause = timedelta(minutes=RULES.halt_pause_minutes)
    for signal in played.signals():
        assert not plan.bad(signal.decided_at)
        before = (signal.decided_at - back * SECOND for back in range(int(pause.total_seconds())))
        assert not any(tick >= BEGINS and plan.block(tick).fault in SIGNS for tick in before)
    for older, newer in pairwise(played.watches()):
        assert newer.high_water < FAR
        assert newer.stop_wanted >= older.stop_wanted
        assert newer.stop_wanted == older.stop_wanted or not plan.bad(newer.stop_set_at)
    for decision in played.exits():
        timed = decision.reason in {"max_hold", "flatten"} and decision.price_type is PriceType.MARKET
        assert timed or not plan.bad(decision.decided_at)
    for minute in range(BEGUN, played.minute):
        for second in (0, 17, 58):
            tick = at(minute) + second * SECOND
            if plan.bad(tick):
                assert plan.block(tick).fault in played.verdict(WATCHED, tick)


BLOCKS = st.lists(
    st.builds(
        Block, st.sampled_from(["", "", *FAULTS]), st.integers(1, 70), st.sampled_from([FAR, NEAR]),
        st.integers(-30, 150),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=25)
@given(blocks=BLOCKS, dies=st.booleans())
def test_nothing_rests_on_a_quote_that_cannot_be_believed(blocks: list[Block], dies: bool) -> None:
    """Whatever comes in whatever order, with or without a restart between two minutes, only sound quotes decide."""
    plan, played = Plan(blocks), stage()
    for _ in range(3):
        played.play(plan)
        if dies:
            played.restart()
    check(played, plan)


@settings(max_examples=10)
@given(blocks=BLOCKS)
def test_a_cold_scan_decides_as_a_warm_one(blocks: list[Block]) -> None:
    """A scan that is restarted after each minute leaves the receipts and the watches of one that never was."""
    warm, cold = stage(), stage()
    for _ in range(3):
        warm.play(Plan(blocks))
        cold.play(Plan(blocks))
        cold.restart()
    for minute in range(BEGUN, BEGUN + 3):
        receipts = [one.store.get(f"receipts/{at(minute):%Y%m%dT%H%M}") for one in (warm, cold)]
        assert receipts[0] is not None
        assert receipts[1] is not None
        assert receipts[0].data == receipts[1].data
    assert warm.signals() == cold.signals()
    assert [(one.stop_wanted, one.stop_set_at) for one in warm.watches()] == [
        (one.stop_wanted, one.stop_set_at) for one in cold.watches()
    ]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_kind_of_bad_quote_decides_nothing(fault: str) -> None:
    """A minute of each fault buys and sells nothing, at prices that would do both; then sound quotes buy again."""
    plan, played = Plan([Block(fault, 60), Block("", 600)]), stage()
    played.play(plan)
    check(played, plan)
    assert (played.signals(), played.exits()) == ([], [])
    assert fault in played.verdict(HELD, BEGINS + 30 * SECOND)
    played.play(plan, minutes=8)
    check(played, plan)
    assert played.signals()


MENDED = [fault for fault in FAULTS if fault not in {"NO_QUOTE", "NotSent"}]


def mended(said: Said, good: Quote) -> Said:
    """Make a quote look as if nothing were wrong with it, as a reading would that fills and repairs."""
    if not isinstance(said, Quote):
        return said
    last = said.last if said.last.is_finite() and said.last > 0 else good.last
    return replace(_priced(good, last), symbol=said.symbol)


@pytest.mark.parametrize("fault", MENDED)
def test_a_reading_that_mends_quotes_would_be_caught(fault: str) -> None:
    """Where a bad quote passes for a sound one, the check of such a day fails."""
    plan, played = Plan([Block(fault, 60), Block("", 60)], mended), stage()
    played.play(plan)
    with pytest.raises(AssertionError):
        check(played, plan)


def test_a_price_below_zero_is_one_of_zero_or_less() -> None:
    """A negative price is named and believed by nobody."""
    played = stage()
    played.play(lambda symbol, now: replace(sound(symbol, now), ask=Decimal(-1)))
    assert "ZERO" in played.verdict(WATCHED, BEGINS + 5 * SECOND)
    assert played.signals() == []


def test_a_quote_older_than_the_one_before_is_not_believed() -> None:
    """An answer that overtook another shows an earlier market: it is named, and nothing is bought on it."""
    played, sounded = stage(), BEGINS + 2 * SECOND

    def script(symbol: str, now: datetime) -> Said:
        seen = sound(symbol, now)
        return replace(seen, at=now - 5 * SECOND) if sounded < now < sounded + 5 * SECOND else seen

    played.play(script)
    assert played.verdict(WATCHED, sounded + 3 * SECOND) == "OUT_OF_ORDER"
    assert played.verdict(HELD, sounded + 3 * SECOND) == "held+OUT_OF_ORDER"
    assert all(signal.decided_at <= sounded for signal in played.signals())


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - SIGNS))
def test_time_sells_without_a_quote_that_can_be_believed(fault: str) -> None:
    """At the end of its longest hold a position is sold at the market once no sound quote came for half a minute."""
    played, limit = stage(), timedelta(minutes=load("demo").exits.hold_max_minutes)
    ends = at(10) + limit
    played.minute = (ends - OPENS) // MINUTE - 2
    plan = Plan([Block("", int((ends - 60 * SECOND - BEGINS) / SECOND)), Block(fault, 600, NEAR)])
    played.play(plan, minutes=4)
    decision = played.exits()[0]
    assert (decision.reason, decision.price_type, decision.limit_price) == ("max_hold", PriceType.MARKET, None)
    assert ends <= decision.decided_at <= ends + 2 * SECOND


@pytest.mark.parametrize("fault", sorted(SIGNS))
def test_what_the_broker_shows_as_halted_stays_behind_its_stop(fault: str) -> None:
    """Shares that nobody can buy are not taken from their stop, and the owner is told once of the halt."""
    played, limit = stage(), timedelta(minutes=load("demo").exits.hold_max_minutes)
    played.minute = (at(10) + limit - OPENS) // MINUTE
    played.play(Plan([Block(fault, 100_000)]), minutes=3)
    assert played.exits() == []
    (notice,) = [one for one in played.told() if isinstance(one, HeldHalted)]
    assert notice.symbol == HELD


@pytest.mark.parametrize("fault", ["NO_QUOTE", "NotSent", "DELAYED", "STALE"])
@pytest.mark.parametrize("shown", sorted(SIGNS))
def test_a_call_that_fails_sells_nothing_that_is_halted(shown: str, fault: str) -> None:
    """In the last ten minutes a halt lasts through an answer that is missing: the stop stays where it is."""
    played = stage()
    played.minute = (session().closes_at - OPENS) // MINUTE - 9
    began = at(played.minute)

    def script(symbol: str, now: datetime) -> Said:
        halted = FAULTS[shown](sound(symbol, now))
        failing = began + 30 * SECOND <= now < began + 55 * SECOND
        return FAULTS[fault](halted) if failing and isinstance(halted, Quote) else halted

    played.play(script, minutes=2)
    assert fault in played.verdict(HELD, began + 40 * SECOND)
    assert played.exits() == []


@pytest.mark.parametrize("shown", sorted(SIGNS))
def test_what_the_owner_wants_sold_is_left_after_the_halt(shown: str) -> None:
    """A wish takes no stop from shares that nobody can buy; the first sound quote sells them, at a price."""
    played, ends = stage(), BEGINS + 90 * SECOND
    held = read(played.store, Position, f"positions/{HELD}")
    assert held is not None
    played.store.commit([held.update(replace(held.value, closing=True))])

    def script(symbol: str, now: datetime) -> Said:
        return FAULTS[shown](sound(symbol, now)) if now < ends else sound(symbol, now)

    played.play(script, minutes=2)
    decision = played.exits()[0]
    assert (decision.reason, decision.price_type, decision.decided_at) == ("owner", PriceType.LIMIT, ends)


def test_a_halt_that_nobody_shows_any_more_lets_time_sell() -> None:
    """Half a minute after the last answer that showed a halt, a position whose time is over is sold at the market."""
    played = stage()
    played.minute = (session().closes_at - OPENS) // MINUTE - 9
    gone = at(played.minute) + 20 * SECOND
    played.play(lambda symbol, now: replace(sound(symbol, now), halted=True) if now < gone else None)
    decision = played.exits()[0]
    assert (decision.reason, decision.price_type) == ("flatten", PriceType.MARKET)
    assert decision.decided_at == gone + (RULES.missing_after_s - 1) * SECOND


def test_a_book_that_stands_still_is_told_of_what_is_held_and_not_bought() -> None:
    """Nothing is bought from the twentieth second on until five minutes after it moves; restarts tell it once."""
    played, still = stage(), BEGINS + MINUTE

    def frozen(symbol: str, now: datetime) -> Quote:
        stands = still <= now < still + 4 * MINUTE
        return replace(sound(symbol, still if stands else now), at=now, received_at=now)

    for _ in range(11):
        played.play(frozen)
        played.restart()
    assert played.verdict(WATCHED, still + 19 * SECOND) != "QUOTE_FROZEN"
    assert played.verdict(WATCHED, still + 20 * SECOND) == "QUOTE_FROZEN"
    resumes = still + 4 * MINUTE
    assert played.verdict(WATCHED, resumes) == "AFTER_HALT"
    assert played.verdict(WATCHED, resumes + 5 * MINUTE - SECOND * 2) == "AFTER_HALT"
    assert played.verdict(WATCHED, resumes + 5 * MINUTE).startswith("signal:")
    assert [one.symbol for one in played.told() if isinstance(one, HeldHalted)] == [HELD]


def test_a_book_that_stands_still_sells_nothing_before_the_session_ends() -> None:
    """What may be halted keeps its stop: the longest hold ends with the first move, at a price, and not before."""
    played, ends = stage(), at(10) + timedelta(minutes=load("demo").exits.hold_max_minutes)
    played.minute = (ends - OPENS) // MINUTE - 4
    still, moves = ends - MINUTE, ends + 90 * SECOND

    def frozen(symbol: str, now: datetime) -> Quote:
        return replace(sound(symbol, still if still <= now < moves else now), at=now, received_at=now)

    played.play(frozen, minutes=7)
    assert played.verdict(HELD, ends + SECOND) == "held+QUOTE_FROZEN"
    decision = played.exits()[0]
    assert (decision.reason, decision.price_type, decision.decided_at) == ("max_hold", PriceType.LIMIT, moves)


def test_a_symbol_that_becomes_invalid_within_the_day_is_one_without_a_quote() -> None:
    """What the broker does not know any more is neither bought nor sold; the other symbol and the scan go on."""
    played = stage()
    played.play(lambda symbol, now: None if symbol == HELD else sound(symbol, now), minutes=2)
    assert played.verdict(HELD, BEGINS + 70 * SECOND) == "held+NO_QUOTE"
    assert (len(played.signals()), played.exits()) == (1, [])


@pytest.mark.parametrize("gap", [1, 2, 3, 10])
def test_a_symbol_that_comes_back_after_a_gap_is_watched_before_it_is_bought(gap: int) -> None:
    """After more than two missing minutes nothing is bought for the two that follow; the receipt says so."""
    played = stage()
    played.play(lambda _symbol, _now: None, minutes=gap)
    played.play(sound, minutes=8)
    back = BEGINS + gap * MINUTE
    late = [played.verdict(WATCHED, back + second * SECOND) == "LATE_START" for second in (0, 119, 181)]
    assert late == ([False] * 3 if gap <= RULES.gap_minutes else [True, True, False])
    assert played.signals()


def _differing(close: str) -> Stage:
    played = stage()
    days = series(60, symbol=WATCHED, closes={series(1).bars[-1].day: close})
    played.store.commit([put(f"history/{WATCHED}", Warmth(session=OPENS.date(), series=days))])
    played.store.writes.clear()
    return played


@pytest.mark.parametrize(("close", "differs"), [("102.00", False), ("102.01", True), ("97.90", True), ("98.10", False)])
def test_closes_that_disagree_stop_the_symbol_and_are_told_once(close: str, differs: bool) -> None:
    """Where broker and history give other closes of yesterday nothing is bought; both are told once a session."""
    played = _differing(close)
    played.play(sound, minutes=2)
    told = [one.closes for one in played.told() if isinstance(one, SourcesDiffer)]
    assert bool(played.signals()) is not differs
    assert told == ([(f"IBM 100, within 2 % of {Decimal(close)} is asked",)] if differs else [])
    assert (played.verdict(WATCHED, BEGINS) == "SOURCES_DIFFER") is differs


@pytest.mark.parametrize(
    "jump", [timedelta(hours=1), timedelta(seconds=40), timedelta(hours=-1), timedelta(seconds=-40)]
)
def test_a_clock_that_jumps_buys_nothing_and_stops_nobody(jump: timedelta) -> None:
    """While the clock is wrong nothing is decided on what it makes old or new; once it is right the scan goes on."""
    played, jumps = stage(), BEGINS + 70 * SECOND
    done: list[datetime] = []

    def script(symbol: str, now: datetime) -> Said:
        if not done and now >= jumps:
            played.clock.at += jump
            done.append(now)
        return replace(sound(symbol, now), received_at=played.clock.now())

    played.play(script, minutes=4)
    assert done
    assert played.exits() == []
    assert all(signal.decided_at <= jumps for signal in played.signals())
    played.play(sound, minutes=8)
    assert any(signal.decided_at > jumps for signal in played.signals())


def test_a_minute_is_refused_by_a_clock_that_is_behind() -> None:
    """A tick that is an hour ahead of the clock is refused, and the market is not watched by a wrong clock."""
    played = stage()
    played.clock.at = BEGINS
    with pytest.raises(Malformed):
        scan(played.desk(sound), played.memory, BEGINS + timedelta(hours=1))
    assert played.signals() == []
