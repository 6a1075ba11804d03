"""What one signal costs: the calls of the order path, each of which has its reason in the benchmarks' list."""

from tests.benchmarks.round_trips import AFTER, PATH, QUOTES, TURN, TURNS, calls, turn

BROKER = {"portfolio", "orders", "quotes", "balance", "preview", "place"}


def test_one_signal_makes_the_calls_that_are_justified_and_no_other() -> None:
    """From its arrival to its outcome a signal makes exactly the store and bus calls of the list, in that order."""
    before, after = calls()
    assert [call for call in before if call not in BROKER] == [trip.call for trip in PATH]
    assert after == [trip.call for trip in AFTER]
    assert before.count("quotes") == QUOTES
    assert (*(call for call in before if call in BROKER - {"quotes"}), "place") == TURNS


def test_a_turn_makes_the_calls_that_are_justified_and_no_other() -> None:
    """A turn that is free costs the store what the list says."""
    assert turn() == [trip.call for trip in TURN]
