"""A day with strategies of a person's own: one trades and leaves by its own reason, one is left out."""

from pathlib import Path

import pytest

from infra.one_machine.sqlite_store import SqliteStore
from infra.simulated_day.run import run_day
from shared.codec import decode
from shared.domain.telling.left_out import SessionLeftOut
from tests.simulated_day.made import SYMBOL, market_file
from tests.simulated_day.seeded import FEWER_LOOKS
from tests.strategies.own import write

LEAVES = """
TIRED = Reason(code="TIRED", words="It was held for half an hour.")
REASONS = (CHEAP, TIRED)


def leave(view, own, position):
    return TIRED if (view.at - position.opened_at).total_seconds() >= 1800 else None
"""


@pytest.mark.days
@pytest.mark.timeout(600)
def test_a_day_trades_and_leaves_by_a_strategy_of_one_s_own(tmp_path: Path) -> None:
    """What it votes for is bought and sold for its reason; one that raises is left out and told; the books agree."""
    folder = tmp_path / "own"
    folder.mkdir()
    write(folder, more=LEAVES)
    write(folder, "odd", vote="return view.sentiment")
    chosen = tmp_path / "mine.toml"
    chosen.write_text("[signals]\nmin_votes = 1\n[strategies.mine]\nprice_min = 60\n[strategies.odd]\n")
    result = run_day(
        market_spec=str(market_file(tmp_path)), config=str(chosen), seed=1, speed="max", state=tmp_path / "run",
        environ={**FEWER_LOOKS, "STRATEGY_STRATEGIES": str(folder)}, on_progress=lambda _: None,
    )  # fmt: skip
    store = SqliteStore(tmp_path / "run" / "state.db")
    (row,), notices = store.query("left_out"), [one.path for one in store.query("notices")]
    store.close()
    assert list(result.summary.violations) == []
    assert {(order.strategy, order.symbol) for order in result.book.orders} == {("mine", SYMBOL)}
    assert "mine:TIRED" in {fill.reason for fill in result.book.fills if fill.side == "SELL"}
    (left,) = decode(SessionLeftOut, row.data).strategies
    assert (left.name, left.about) == ("odd", SYMBOL)
    assert len([path for path in notices if "strategy_left_out" in path]) == 1
