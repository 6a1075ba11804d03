"""What one signal costs: the calls of the order path, each of which has its reason in the benchmarks' list."""

from tests.benchmarks.round_trips import AFTER, PATH, calls

BROKER = {"portfolio", "orders", "quotes", "balance", "preview", "place"}


def test_one_signal_makes_the_calls_that_are_justified_and_no_other() -> None:
    """From its arrival to its outcome a signal makes exactly the store and bus calls of the list, in that order."""
    before, after = calls()
    assert [call for call in before if call not in BROKER] == [trip.call for trip in PATH]
    assert after == [trip.call for trip in AFTER]
