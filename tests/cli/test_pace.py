"""How long a back-test still takes is told by the pace of its sessions, not by its start."""

from datetime import date
from decimal import Decimal

from infra.backtest.run import Progress
from infra.cli.backtested import Pace


def far(done: int) -> Progress:
    """Give a task of ten sessions of which so many are over."""
    return Progress(done=done, of=10, day=date(2013, 3, 4), trades=0, equity=Decimal(1))


def test_the_first_session_is_no_pace() -> None:
    """With a start of 44 s and 6 s for the first session nothing is foretold; from the second on it is 2 s for each."""
    pace = Pace(1, 50.0)
    assert pace.left(far(1), 50.0) == ""
    assert pace.left(far(2), 52.0) == ", about 16 s left"
    assert pace.left(far(6), 60.0) == ", about 8 s left"
    assert pace.left(far(10), 68.0) == ", about 0 s left"
