"""An order's story is told of the venue that it was made for: on paper nothing is at a broker, and nothing was sent."""

import pytest

from shared.domain.base.values import Venue
from shared.domain.orders import explain
from shared.domain.orders.explain import at_venue, standing, step, why_left
from shared.domain.orders.orders import State
from tests.domain.made import order


def _told(state: State, venue: Venue) -> str:
    return " ".join((*standing(order(state=state, venue=venue)), step(state, "the broker shows EXECUTED", venue)))


def _paper_is_no_broker() -> None:
    for state in State:
        assert "broker" not in _told(state, Venue.PAPER).lower().replace("--is broker_order", "")
    working = _told(State.WORKING, Venue.PAPER)
    assert "It is open in the paper account; no order went to E*TRADE." in working
    for state in (State.PREVIEWED, State.PLACING, State.UNKNOWN, State.WORKING):
        assert " sent" not in _told(state, Venue.PAPER)


def test_on_paper_no_word_says_that_an_order_is_at_the_broker() -> None:
    """Of every state the owner on paper reads of the paper account, in the steps and their causes too."""
    _paper_is_no_broker()


def test_words_that_know_no_venue_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above sees a story that is told of the broker wherever the order was made."""
    monkeypatch.setattr(explain, "at_venue", lambda text, _venue: text)
    with pytest.raises(AssertionError):
        _paper_is_no_broker()


@pytest.mark.parametrize("venue", [Venue.SANDBOX, Venue.PRODUCTION])
def test_at_etrade_the_order_is_at_the_broker(venue: Venue) -> None:
    """An order that went to E*TRADE is told as one that is at the broker."""
    assert "It is open at the broker." in _told(State.WORKING, venue)
    assert step("FILLED", "the broker shows EXECUTED", venue) == "filled completely (the broker shows EXECUTED)"
    assert at_venue("its stop at the broker is cancelled", venue) == "its stop at the broker is cancelled"


def test_a_sale_by_our_rule_is_not_called_a_stop() -> None:
    """Only a fill of the stop order is called a stop: a trailing sale, which has a limit, is an exit."""
    assert why_left("protective stop") == "protective stop"
    assert why_left("trail, flatten") == "trailing exit, end-of-day exit"
    assert not [reason for reason in ("trail", "target", "max_hold", "flatten") if "stop" in why_left(reason)]
