"""What a back-test keeps of each session: of a long span fewer points, and the same largest drawdown."""

from infra.backtest.gathered import MINUTELY
from infra.results.figures import drawdown
from tests.backtest.overnight import CAPITAL, Piece, chain, days


def test_a_long_span_has_the_largest_drawdown_of_all_its_minutes() -> None:
    """Half hours are kept of more than ten sessions; where the equity fell most is kept beside them, to the minute."""
    plan = list(days([(Piece(symbol="IBM"),), (Piece(symbol="IBM"),)]))
    whole, _ = chain(plan)
    thinned, _ = chain(plan, sessions=MINUTELY + 1)
    found = drawdown(whole.equity, CAPITAL)
    assert found is not None
    assert found.usd < 0
    assert drawdown(thinned.equity, CAPITAL) == found
    assert len(thinned.equity) < len(whole.equity) / 10
    half_hours = [one for one in thinned.equity if one.at.minute in {0, 30}]
    assert drawdown(half_hours, CAPITAL) != found
    assert thinned.equity[-1] == whole.equity[-1]
