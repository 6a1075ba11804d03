"""The watch list is ranked before the open, and a session's scan keeps to that, whoever scans and whenever it began."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.market.ranking import LISTED_OUT, RANKED_OUT, Measures
from shared.domain.market.receipts import path_of
from shared.usecases.base.desk import put
from shared.usecases.market.mornings import Morning, morning_path
from shared.usecases.market.ranking import PATH, Measured, chosen, last_measured, measured_of
from shared.usecases.scanning.scan_memory import ScanMemory
from tests.domain.days import TODAY, series
from tests.domain.made import DEFAULT, OPENS, at, config, position
from tests.usecases.morning import MorningBench, Scripted
from tests.usecases.shifts import Shifts

MINUTES, SCANNED = 4, 2
Lent = Callable[[int], ScanMemory]


def gives(count: int) -> Scripted:
    return Scripted("yahoo", lambda symbol, before: series(count, before=before, symbol=symbol, source="yahoo"))


def test_the_morning_ranks_the_watch_list() -> None:
    """With the daily bars the figures of every watched symbol are written, and the spreads that the broker quoted."""
    bench = MorningBench(gives(60), watched=("IBM", "AIG"))
    bench.file.commit([put(morning_path(TODAY), Morning(session=TODAY, spreads={"AIG": Decimal("2.50")}))])
    bench.gather()
    found = measured_of(bench.desk, TODAY)
    assert found is not None
    assert [(one.symbol, one.spread) for one in found.symbols] == [("IBM", None), ("AIG", Decimal("2.50"))]
    assert all(one.liquidity and one.volatility is not None for one in found.symbols)


def test_from_a_minute_before_the_open_on_the_rank_stands() -> None:
    """What is gathered later changes nothing of the session's rank, and a rank that was not made is not made then."""
    bench = MorningBench(gives(60))
    bench.clock.at = OPENS - timedelta(minutes=1)
    bench.gather()
    assert last_measured(bench.file) is None
    bench.clock.at = OPENS - timedelta(minutes=2)
    bench.gather()
    made = last_measured(bench.file)
    assert made is not None
    bench.clock.at = OPENS + timedelta(hours=1)
    bench.file.commit([put(morning_path(TODAY), Morning(session=TODAY, spreads={"IBM": Decimal(1)}))])
    bench.gather()
    assert last_measured(bench.file) == made


def ranked_market() -> Shifts:
    """Give a scan of which two of five symbols are looked at: the list's last two, by their liquidity."""
    shifts = Shifts(symbols=5)
    shifts.desk = replace(shifts.desk, config=config(universe__scanned_max=SCANNED))
    figures = tuple(
        Measures(symbol=symbol, liquidity=Decimal(number))
        for number, symbol in enumerate(shifts.desk.mandate.watch_list)
    )
    made = Measured(session=shifts.session.day, at=shifts.session.opens_at - timedelta(hours=2), symbols=figures)
    shifts.store.commit([put(PATH, made)])
    return shifts


def warm() -> Lent:
    one = ScanMemory()
    return lambda _: one


def played(shifts: Shifts, memory: Lent) -> Shifts:
    for minute in range(MINUTES):
        shifts.tick(minute, memory(minute), late_s=0.02)
        shifts.run(minute + 0.5)
    shifts.run(MINUTES)
    return shifts


def receipt(shifts: Shifts, minute: int) -> dict[str, object]:
    found = shifts.store.get(path_of(shifts.begins(minute)))
    assert found is not None
    return dict(found.data)


def test_the_first_of_the_rank_are_scanned_and_the_others_are_named() -> None:
    """The first two of the rank have verdicts, in the list's order; each other one has its place in the receipt."""
    shifts = played(ranked_market(), warm())
    watched = shifts.desk.mandate.watch_list
    said = receipt(shifts, 1)
    symbols = said["symbols"]
    assert isinstance(symbols, dict)
    assert set(symbols) == set(watched)
    left_out = {name: lines for name, lines in symbols.items() if lines[0][1] == RANKED_OUT}
    assert set(left_out) == set(watched[:3])
    assert left_out[watched[0]] == [[0, RANKED_OUT, "5", "1 to 2", None]]
    made = shifts.session.opens_at - timedelta(hours=2)
    assert said["scanned"] == {"symbols": SCANNED, "ranked_at": made.isoformat()}


def test_a_cold_scan_looks_at_the_same_symbols() -> None:
    """With a new instance each minute signals, receipts and books are those of a warm one, to the byte."""
    cold = [ScanMemory() for _ in range(MINUTES)]
    expected = played(ranked_market(), warm())
    found = played(ranked_market(), lambda minute: cold[minute])
    assert found.left() == expected.left()


def test_a_cold_scan_that_takes_the_list_s_order_would_be_found() -> None:
    """The same comparison finds an instance that does not read the rank."""

    class Unread(ScanMemory):
        def read_ahead(self, *given: object) -> None:
            super().read_ahead(*given)  # type: ignore[arg-type]
            self._measured = self._choice = None

    expected = played(ranked_market(), warm())
    one = ScanMemory()
    found = played(ranked_market(), lambda minute: Unread() if minute == 2 else one)
    assert found.left() != expected.left()


def test_what_is_held_is_looked_at_whatever_its_place() -> None:
    """A symbol behind those that are scanned is judged as long as it is held."""
    shifts = ranked_market()
    first = shifts.desk.mandate.watch_list[0]
    held = position(symbol=first, opened_at=shifts.session.opens_at, stop_set_at=shifts.session.opens_at)
    shifts.store.commit([put(f"positions/{first}", held)])
    played(shifts, warm())
    symbols = receipt(shifts, 1)["symbols"]
    assert isinstance(symbols, dict)
    assert symbols[first][0][1] != RANKED_OUT


def test_without_a_rank_the_watch_list_s_order_counts() -> None:
    """The rank of another day is none: the first of the list are scanned, and the others are told why."""
    shifts = ranked_market()
    measured = last_measured(shifts.store)
    assert measured is not None
    shifts.store.commit([put(PATH, replace(measured, session=measured.session - timedelta(days=1)))])
    played(shifts, warm())
    symbols = receipt(shifts, 1)["symbols"]
    assert isinstance(symbols, dict)
    last = shifts.desk.mandate.watch_list[-1]
    assert symbols[last] == [[0, LISTED_OUT, "5", "1 to 2", None]]


def test_by_default_all_are_scanned_and_nothing_is_said() -> None:
    """Two hundred symbols are looked at: of a shorter list no receipt speaks of a rank."""
    shifts = Shifts(symbols=3)
    played(shifts, warm())
    assert "scanned" not in receipt(shifts, 1)
    watched = tuple(f"S{number}" for number in range(200))
    universe = DEFAULT.universe
    whole = chosen(None, watched, universe.weights, most=universe.scanned_max)
    assert (whole.scanned, dict(whole.left_out)) == (watched, {})


def test_who_was_not_measured_stands_after_the_others() -> None:
    """A symbol that joined the list after the rank was made has a place behind it, and one that left has none."""
    measured = Measured(session=TODAY, at=at(-90), symbols=(Measures(symbol="GONE"), Measures(symbol="B")))
    found = chosen(measured, ("NEW", "B"), DEFAULT.universe.weights, most=1)
    assert (found.scanned, dict(found.left_out)) == (("B",), {"NEW": 2})
