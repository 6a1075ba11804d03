"""The measuring of cold starts: real processes from built archives, compared round by round."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.topology import TOPOLOGY
from tests.benchmarks.cold_start import measure, table
from tests.benchmarks.process_tree import Memory
from tests.benchmarks.start import Start, figures, start
from tests.benchmarks.subjects import GOOGLE_AND_BUS, HELLO, Subject, subjects

CHOSEN = "order_settlement"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Subject, ...]:
    """Return one function and its baselines."""
    return subjects(tmp_path_factory.mktemp("subjects"), installed=False, names=(CHOSEN,))


def taken(first_answer_s: float, cpu_s: float = 1.0) -> Start:
    """Give a start with a time."""
    return Start(first_answer_s=first_answer_s, cpu_s=cpu_s, memory=Memory(pss_mb=50.0, largest_rss_mb=60.0))


def test_a_function_is_measured_beside_its_baselines(prepared: tuple[Subject, ...]) -> None:
    """One round starts hello, the Google libraries and the function, each taking time, CPU and memory of its own."""
    rows = measure(prepared, shares=(None,), rounds=1)
    assert [row.name for row in rows] == [HELLO, GOOGLE_AND_BUS, CHOSEN]
    hello, google, ours = (row.figures for row in rows)
    assert 0 < hello.cpu_s < min(google.cpu_s, ours.cpu_s)
    assert 0 < hello.pss_mb < min(google.pss_mb, ours.pss_mb)
    assert (hello.ratio, google.ratio) == (1.0, 1.0)
    assert table(rows).row_count == len(rows)


def test_a_share_makes_a_start_longer_than_its_cpu(prepared: tuple[Subject, ...]) -> None:
    """Under a quarter of a CPU a start takes more than twice the CPU that it uses, and a function's row has a price."""
    google, ours = measure(prepared[1:], shares=(0.25,), rounds=1)
    assert google.figures.first_answer_s > 2 * google.figures.cpu_s
    assert ours.figures.first_answer_s > 2 * ours.figures.cpu_s
    assert (google.usd_a_month, ours.note) == (None, "")
    assert ours.usd_a_month


def test_a_ratio_is_of_the_same_round() -> None:
    """When one round is slow for both, each ratio stays what it was, and medians are of the starts."""
    seen = figures([taken(2.0), taken(20.0), taken(3.0)], [taken(1.0), taken(10.0), taken(1.0)])
    assert (seen.ratio, seen.cpu_ratio, seen.first_answer_s, seen.fastest_s) == (2.0, 1.0, 3.0, 2.0)


def test_a_start_that_fails_says_why(prepared: tuple[Subject, ...]) -> None:
    """A function that ends instead of answering is an error with its own words."""
    wrong = replace(prepared[-1], environ={"STRATEGY_CAPITAL_USD": "plenty"})
    with pytest.raises(RuntimeError, match="STRATEGY_CAPITAL_USD"):
        start(wrong)


def test_every_function_has_a_baseline_with_its_libraries(tmp_path: Path) -> None:
    """What publishes is compared with what can publish, and the scan with what has indicators."""
    made = {one.name: one for one in subjects(tmp_path, installed=False)}
    for function in TOPOLOGY.functions:
        baseline = made[made[function.name].baseline]
        source = (baseline.runnable.source / "main.py").read_text(encoding="utf-8")
        assert ("pubsub" in source) == bool(function.publishes)
        assert ("talib" in source) == (function.name == "market_scan")
        assert baseline.function is None
