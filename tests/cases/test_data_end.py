"""A recording that was cut: nothing is bought on a price that stands still, and what is sold on one is named."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.backtest.data import survey
from infra.backtest.day import Resolution
from infra.backtest.kept_data import in_files
from infra.backtest.run import Outcome, Task, run
from infra.backtest.spool import Spool
from infra.brokersim.recorded import BAR_COLUMNS, DAILY_FILE
from infra.results.data_end import ENDED
from infra.simulated_day.result import REPORT_JSON
from shared.domain.base.calendar import session_of
from shared.strategies.config import load
from tests.cases.short_day import FLATTENS, Played, play
from tests.simulated_day.made import HALF_DAY, SYMBOL, at, bars, rows, write_rows

CUT = at(12, 35)
SAID = "The data of 2013-11-29 end at 12:34:55 New York, before the close at 13:00:00: nothing after that can be judged"


def cut_market(folder: Path) -> Path:
    """Write the market up to nine minutes after its entry, and its daily bars."""
    traded = [row for row in bars() if session_of(date.fromisoformat(str(row[0]))) is not None]
    write_rows(folder / DAILY_FILE, traded, columns=BAR_COLUMNS)
    stamp = CUT.isoformat().replace("+00:00", "Z")
    write_rows(folder / "market.csv", [row for row in rows() if str(row[0]) < stamp])
    return folder / "market.csv"


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Return the short day on the market that was cut."""
    return play(cut_market(tmp_path_factory.mktemp("market")), tmp_path_factory.mktemp("runs"))


def test_the_day_says_where_its_data_end(cut: Played) -> None:
    """The sentence is known before the run and stands in the report; seconds without a usable quote are counted."""
    assert any(one.startswith(SAID) for one in cut.result.known_before)
    report = json.loads((cut.result.folder / REPORT_JSON).read_text())
    assert any(one.startswith(SAID) for one in report["said"])
    assert SAID in cut.result.report.read_text()
    silent = int((at(13, 0) - CUT) / timedelta(seconds=1))
    assert silent - 120 <= cut.result.summary.unquoted_s <= silent
    assert f"{cut.result.summary.unquoted_s:,} without a usable quote" in report["machine"]["Seconds looked at"]


def test_what_is_sold_at_the_last_price_is_named(cut: Played) -> None:
    """Nothing is bought after the data's end, and the end-of-day exit of what was held says at which price it was."""
    entry, leaving = cut.result.ledger.fills
    assert entry.at < CUT < FLATTENS < leaving.at
    (trade,) = cut.result.facts.trades
    assert trade.exit_reason == f"flatten, {ENDED}"
    assert [one.name for one in cut.result.figures.by_reason] == [trade.exit_reason]
    assert cut.result.summary.violations == ()


def test_a_back_test_on_quotes_names_it_too(tmp_path: Path) -> None:
    """On one-second quotes the survey says it before the run, the facts say it, and the sale has it as its reason."""
    (tmp_path / "spool").mkdir()
    market = cut_market(tmp_path)
    data = in_files(market, spool=Spool(tmp_path / "spool"), today=date(2026, 1, 2), chosen=False)
    seen = survey(data, HALF_DAY, HALF_DAY, ())
    assert [one.of(SYMBOL) for one in seen.ends] == [CUT - timedelta(seconds=5)]
    whole = Task(
        label="demo", name="demo", config=load("demo"), folder="", data=data, survey=seen, resolution=Resolution.TICK,
        capital=Decimal(100_000),
    )  # fmt: skip
    outcome = run(whole, lambda _: None)
    assert any(one.startswith(SAID) for one in seen.missing)
    assert any(one.startswith(SAID) for one in outcome.facts.said)
    assert all(one.entered_at < CUT for one in outcome.facts.trades)
    assert late_reasons(outcome) == {f"flatten, {ENDED}"}
    passed_over = replace(whole, survey=replace(seen, ends=()))
    assert late_reasons(run(passed_over, lambda _: None)) == {"flatten"}


def late_reasons(outcome: Outcome) -> set[str]:
    """Give why those trades were left that were left after the data's end."""
    return {one.exit_reason for one in outcome.facts.trades if one.left_at is not None and one.left_at > CUT}
