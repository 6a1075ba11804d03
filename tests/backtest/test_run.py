"""A span is played day after day: what one leaves the next begins with, and both resolutions stand side by side."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from infra.backtest.data import survey
from infra.backtest.day import Resolution
from infra.backtest.generated_data import FIRST_TEN, GeneratedData
from infra.backtest.looking import scanned
from infra.backtest.run import Outcome, Progress, Task, run
from infra.brokersim.generated import GENERATED_DAY
from infra.results.figures import closes
from shared.domain.ranking import known_measures, ranked
from shared.domain.tables import strategies_of
from shared.strategies.config import load

CAPITAL = Decimal(50_000)
TWO_DAYS = GENERATED_DAY + timedelta(days=1)


def task(
    last: date = TWO_DAYS, symbols: int = 3, compared: int = 0, resolution: Resolution = Resolution.MINUTE
) -> Task:
    data = GeneratedData(seed=1)
    seen = survey(data, GENERATED_DAY, last, FIRST_TEN[:symbols])
    return Task(
        label="demo", name="demo", config=load("demo"), folder="", data=data, survey=seen, resolution=resolution,
        capital=CAPITAL, compared=compared,
    )  # fmt: skip


@cache
def two_days() -> tuple[Outcome, tuple[Progress, ...]]:
    told: list[Progress] = []
    outcome = run(task(), told.append)
    return outcome, tuple(told)


def test_what_was_earned_is_what_the_trades_brought_after_fees() -> None:
    """The equity at the end is the capital and every trade's profit less its fees, to the cent."""
    outcome, _ = two_days()
    facts = outcome.facts
    assert facts.trades
    assert all(trade.is_over and trade.fees > 0 for trade in facts.trades)
    assert facts.equity[-1].equity == CAPITAL + sum(trade.net for trade in facts.trades)
    assert outcome.figures.sharpe is None


def test_a_day_begins_with_what_the_one_before_left() -> None:
    """The second session's equity starts where the first one's ended, and its sizes know that cash has not settled."""
    outcome, told = two_days()
    assert [(one.done, one.of) for one in told] == [(1, 2), (2, 2)]
    ends = closes(outcome.facts.equity)
    assert ends == [one.equity for one in told]
    first_point = next(one for one in outcome.facts.equity if one.at.date() == TWO_DAYS)
    assert first_point.equity == ends[0]
    alone = run(replace(task(GENERATED_DAY), label="alone"), lambda _: None)
    assert alone.facts.trades == tuple(one for one in outcome.facts.trades if one.entered_at.date() == GENERATED_DAY)


def test_the_span_resolution_and_source_are_those_that_there_were() -> None:
    """The facts say what was really played, on what, and what must be said before any figure."""
    outcome, _ = two_days()
    facts = outcome.facts
    assert (facts.begins.date(), facts.ends.date()) == (GENERATED_DAY, TWO_DAYS)
    assert (facts.resolution, facts.source) == ("bars of a minute", "generated market, seed 1")
    assert facts.said[0].startswith("The market is generated")
    assert sorted(facts.prices) == sorted(FIRST_TEN[:3])


def test_bars_and_quotes_of_a_session_stand_side_by_side() -> None:
    """What bars miss and add of the signals of quotes is counted, whichever of both is the back-test."""
    on_bars = run(task(GENERATED_DAY, symbols=2, compared=1), lambda _: None)
    on_quotes = run(task(GENERATED_DAY, symbols=2, compared=1, resolution=Resolution.TICK), lambda _: None)
    assert on_bars.fidelity == on_quotes.fidelity
    found = on_bars.fidelity
    assert found is not None
    assert found.shared > 0
    assert (found.shared + found.added, found.shared + found.missed) == (on_bars.facts.signals, on_quotes.facts.signals)
    assert [one.name for one in on_bars.facts.beside] == ["on one-second quotes"]
    assert on_bars.facts.beside[0].return_pct == on_quotes.figures.return_pct


def test_a_configuration_trades_the_account_that_a_day_gives_it() -> None:
    """The demonstration's proceeds are spent again at once, another configuration's settle later; each says which."""
    on_margin = run(task(GENERATED_DAY), lambda _: None)
    of_cash = run(replace(task(GENERATED_DAY), name="default"), lambda _: None)
    assert any(one.startswith("It trades a margin account without leverage") for one in on_margin.facts.said)
    assert any(one.startswith("It trades a cash account") for one in of_cash.facts.said)
    assert _spent(on_margin) > _spent(of_cash)
    assert _spent(of_cash) <= CAPITAL


def _spent(outcome: Outcome) -> Decimal:
    return sum((one.shares * one.entry_price for one in outcome.facts.trades), Decimal(0))


def test_of_many_symbols_the_first_of_the_day_s_rank_are_looked_at() -> None:
    """With room for two of three symbols a session trades those two that lead by the daily bars before it."""
    whole = task(GENERATED_DAY)
    config = replace(whole.config, universe=replace(whole.config.universe, scanned_max=2))
    (chapter,) = whole.data.chapters(GENERATED_DAY, GENERATED_DAY, whole.survey.symbols)
    days = chapter.minutes.history
    known = [known_measures(one, days[one], GENERATED_DAY, spread=None) for one in chapter.minutes.symbols]
    first = {one.symbol for one in ranked(known, config.universe.weights)[:2]}
    assert scanned(chapter.minutes, config) == first
    outcome = run(replace(whole, config=config), lambda _: None)
    assert {one.symbol for one in outcome.facts.trades} <= first
    assert any(one.startswith("Of 3 symbols the first 2 of each session's rank") for one in outcome.facts.said)
    assert {one.symbol for one in run(whole, lambda _: None).facts.trades} - first


BROKEN = '''"""Breaks at its second hour."""

from dataclasses import dataclass

from shared.strategies.verdict import Reason

NAME = "broken"
NEVER = Reason(code="NEVER", words="It never votes.")
REASONS = (NEVER,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    pass


def vote(view, own):
    if len(view.bars) > 120:
        raise RuntimeError("no idea")
    return NEVER
'''


def test_a_strategy_that_raises_is_named_and_left_out(tmp_path: Path) -> None:
    """One that cannot be asked costs its own votes: the others go on, and the result says so before any figure."""
    (tmp_path / "broken.py").write_text(BROKEN)
    demo = load("demo")
    config = replace(demo, strategies=strategies_of({**demo.strategies, "broken": {}}))
    outcome = run(replace(task(), config=config, folder=str(tmp_path)), lambda _: None)
    said = "Strategy broken was left out of 2 sessions, 2013-03-04 the first: it raised RuntimeError: no idea."
    assert said in outcome.facts.said
    assert outcome.facts.trades == two_days()[0].facts.trades
