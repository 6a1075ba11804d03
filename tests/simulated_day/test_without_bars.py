"""What a recorded day lacks is said before it runs and in its report: daily bars, its end, a time in the middle."""

import json
from pathlib import Path

import pytest

from infra.simulated_day.result import REPORT_JSON, Progress
from infra.simulated_day.run import run_day
from tests.simulated_day.made import SYMBOL, rows, write_rows
from tests.simulated_day.seeded import PLAIN


@pytest.mark.days
def test_a_day_says_what_it_lacks(tmp_path: Path) -> None:
    """Symbols without daily bars, the end and the hole are said before the first instant passes, and in the report."""
    market, said = tmp_path / "market.csv", list[str]()
    whole = list(rows())
    write_rows(market, [*whole[:100], *whole[400:500]])
    moved: list[int] = []

    def on_progress(progress: Progress) -> None:
        moved.append(len(said))

    result = run_day(
        market_spec=str(market), config="demo", seed=1, speed="max", state=tmp_path / "run", on_progress=on_progress,
        on_warning=said.append, around=PLAIN,
    )  # fmt: skip
    warning, early, hole = said
    assert warning.startswith(f"Nothing can be bought of {SYMBOL}: no daily bars before the day")
    assert early.startswith("The data of 2013-11-29 end at 10:06:35 New York, before the close at 13:00:00")
    assert hole.startswith("The data have nothing on 2013-11-29 from 09:33:15 to 09:58:20 New York: ")
    assert (set(moved), result.known_before) == ({3}, (warning, early, hole))
    assert all(one in json.loads((result.folder / REPORT_JSON).read_text())["said"] for one in said)
