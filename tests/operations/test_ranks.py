"""The owner sees in which order the watch list is looked at, and what each symbol's score is made of."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from infra.one_machine.sqlite_store import SqliteStore
from shared.domain.market.ranking import Measures
from shared.ports import Delete, Put
from shared.usecases.base.desk import put
from shared.usecases.market.ranking import PATH, Measured
from tests.operations.desks import answer, refused, strategy

MADE = datetime(2013, 10, 7, 11, 1, tzinfo=UTC)
FIRST = Measures(
    symbol="IBM", liquidity=Decimal(1_234_500_000), volatility=Decimal("1.5"), momentum=Decimal("-2.25"),
    spread=Decimal("1.10"),
)  # fmt: skip
SECOND = Measures(symbol="ZXQ", spread=Decimal("9.90"))


def _written(desk: Path, *rows: Measures) -> None:
    store = SqliteStore(desk / "state.db")
    store.commit([put(PATH, Measured(session=date(2013, 10, 7), at=MADE, symbols=rows))])
    store.close()


def test_each_score_is_shown_with_its_parts(desk: Path) -> None:
    """Place, score, the points and the figure of each part, what is unknown, and the weights."""
    _written(desk, SECOND, FIRST)
    found = answer("rank", "--state", str(desk))
    assert (found["session"], found["scanned_max"]) == ("2013-10-07", 200)
    first, second = found["rows"]
    assert (first["symbol"], first["score"], first["scanned"], first["unknown"]) == ("IBM", "100.00", True, [])
    assert (first["parts"][0]["name"], first["parts"][0]["points"]) == ("liquidity", "40.00")
    assert (second["place"], second["unknown"]) == (2, ["liquidity", "volatility", "momentum"])
    told = strategy("rank", "--state", str(desk)).stdout
    assert all(text in told for text in ("40.0: $1,234M", "30.0: 1.5%", "20.0: -2.2%", "10.0: 0.011%")), told
    assert "unknown: liquidity, volatility, momentum" in " ".join(told.split())
    assert "Most points, of 100: liquidity 40, volatility 30, momentum 20, spread 10." in told
    assert "For 2013-10-07, made 2013-10-07 07:01" in told


def test_a_row_is_a_line_at_80_columns(desk: Path) -> None:
    """At 80 columns the place, the score and all four parts of a symbol stand in one line, which is not cut."""
    _written(desk, FIRST)
    told = strategy("rank", "--state", str(desk), COLUMNS="80").stdout
    row = next(line for line in told.splitlines() if line.split()[:3] == ["1", "IBM", "100.0"])
    assert row.rstrip().endswith("10.0: 0.011%")
    assert len(row.rstrip()) <= 80


def test_status_says_that_it_was_made(desk: Path) -> None:
    """At a glance: for which session, when, of how many symbols a part is unknown."""
    _written(desk, FIRST, SECOND)
    told = " ".join(strategy("status", "--state", str(desk)).stdout.split())
    assert "2 symbols for 2013-10-07, made 2013-10-07 07:01" in told
    assert "1 of them with a part unknown" in told
    assert answer("status", "--state", str(desk))["ranked"]["symbols"] == 2


def test_the_morning_of_a_desk_leaves_one(played_desk: Path) -> None:
    """A morning that gathers daily bars ranks every watched symbol; what nobody quoted yet has no spread."""
    seen = answer("status", "--state", str(played_desk))["ranked"]
    rows = answer("rank", "--state", str(played_desk))["rows"]
    assert seen["symbols"] == len(rows) > 0
    assert all(row["unknown"] == ["spread"] for row in rows)


def test_without_a_rank_that_is_said(desk: Path) -> None:
    """Where none was made, the command says what counts and when one is made; a damaged one is named."""
    store = SqliteStore(desk / "state.db")
    store.commit([Put(PATH, {"damaged": True})])
    assert PATH in answer("status", "--state", str(desk))["unreadable"]
    store.commit([Delete(PATH)])
    store.close()
    refused(strategy("rank", "--state", str(desk)), "its own order counts", "07:00")
    assert "the watch list counts in its own order" in strategy("status", "--state", str(desk)).stdout
