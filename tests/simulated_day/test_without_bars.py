"""A recorded day without daily bars buys nothing, and says so before it runs and in its report."""

from pathlib import Path

import pytest

from infra.simulated_day.result import Progress
from infra.simulated_day.run import run_day
from tests.simulated_day.made import SYMBOL, rows, write_rows
from tests.simulated_day.seeded import PLAIN


@pytest.mark.days
def test_a_day_without_daily_bars_says_so(tmp_path: Path) -> None:
    """Which symbols have none is said before the first instant passes, and stands in the report."""
    market, said = tmp_path / "market.csv", list[str]()
    write_rows(market, list(rows())[:100])
    moved: list[int] = []

    def on_progress(progress: Progress) -> None:
        moved.append(len(said))

    result = run_day(
        market_spec=str(market), config="demo", seed=1, speed="max", state=tmp_path / "run", on_progress=on_progress,
        on_warning=said.append, around=PLAIN,
    )  # fmt: skip
    warning, early = said
    assert warning.startswith(f"Nothing can be bought of {SYMBOL}: no daily bars before the day")
    assert early.startswith("The data of 2013-11-29 end at 09:33:15 New York, before the close at 13:00:00")
    assert (set(moved), result.known_before) == ({2}, (warning, early))
    assert f"Nothing can be bought of {SYMBOL}:" in result.report.read_text()
