"""Case orders-api-down-is-silent: while answers cannot be read the owner is told soon, and no stop is lost.

Members of the kind: other ways in which an answer cannot be read, other answers, and the single order's answer, too.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from infra.brokersim.faults import Endpoint
from shared.codec import loads
from shared.topology import TOPOLOGY
from tests.cases.answers import Answers, Change, Rule, cut, says, silent
from tests.cases.short_day import CLOSES, FLATTENS, Played, cancel_sells, entered, play
from tests.simulated_day.made import SYMBOL, at
from tests.simulated_day.seeded import PLAIN

TOLD_WITHIN = timedelta(minutes=5)
DOWN = {"Error": {"code": 100, "message": "The requested service is not currently available"}}
UNREADABLE: dict[str, Change] = {
    "500": says(DOWN, status=500),
    "page": says(b"<html><body>Maintenance</body></html>", status=503, kind="text/html"),
    "silence": silent(),
    "cut": cut(),
    "empty": says(b""),
    "otherwise": says({"OrdersResponse": {"Order": "all of them"}}),
}
NEAR_THE_CLOSE = FLATTENS - timedelta(seconds=20)
AFTER_THE_CLOSE = at(13, 30)
SINCE_THE_FILL = timedelta(minutes=30)


def from_the_fill(change: Change, *endpoints: Endpoint) -> Answers:
    """Change answers for half an hour from the entry's fill on, which is at 12:26."""
    until = at(12, 26) + SINCE_THE_FILL
    return Answers(*(Rule(endpoint=one, change=change, when=entered, until=until) for one in endpoints))


def over_the_close(change: Change, *endpoints: Endpoint) -> Answers:
    """Change answers from just before the flatten until after the close."""
    rules = (Rule(endpoint=one, change=change, since=NEAR_THE_CLOSE, until=AFTER_THE_CLOSE) for one in endpoints)
    return Answers(*rules)


def told_soon(day: Played, *, what: str, since: datetime) -> None:
    """Check that the owner heard of it within five minutes and in the session, with what to look at."""
    unread = day.of("answer_unread", what)
    assert unread, [one.title for one in day.told]
    assert unread[0].told_at - since <= TOLD_WITHIN
    assert unread[0].told_at < CLOSES
    assert "at the simulator" in unread[0].text


def sold_after(day: Played) -> None:
    """Check that what could not be seen was sold as soon as it could, once, and never twice."""
    assert [fill.action for fill in day.result.ledger.fills] == ["BUY", "SELL"]
    assert day.result.ledger.fills[-1].at < CLOSES
    assert "holds nothing" in day.of("day_result")[-1].text


def stop_kept(day: Played) -> None:
    """Check that the stop rests to the end, and that the owner was told before the close what stays held."""
    stop = next(order for order in day.result.ledger.orders if order.price_type == "STOP")
    assert not {event.event for event in stop.history} & {"cancel_requested", "cancelled"}
    (held,) = day.of("stays_held", SYMBOL, "98", str(stop.order_id))
    assert CLOSES - timedelta(minutes=5, seconds=30) <= held.told_at < CLOSES
    assert "holds nothing" not in day.of("day_result")[-1].text


def test_orders_that_nobody_sees_from_the_fill_on_are_told(market: Path, cases: Path, tmp_path: Path) -> None:
    """With the answer that a person met, the owner hears within five minutes which shares may be without a stop."""
    given = says((cases / "orders-api-down-is-silent" / "input.json").read_bytes(), status=500)
    day = play(market, tmp_path, answers=from_the_fill(given, "orders", "order"))
    told_soon(day, what="order list", since=at(12, 26))
    assert day.of("answer_unread", f"98 {SYMBOL}")
    sold_after(day)


def test_the_answer_on_a_single_order_serves_where_the_list_fails(market: Path, tmp_path: Path) -> None:
    """Where only the list fails, shares are covered within the minute, and the owner hears of the list all the same."""
    day = play(market, tmp_path, answers=from_the_fill(UNREADABLE["500"], "orders"))
    told_soon(day, what="order list", since=at(12, 26))
    sold_after(day)
    assert day.longest_gap() < timedelta(seconds=70)


def test_orders_that_nobody_sees_over_the_close_keep_their_stop(market: Path, cases: Path, tmp_path: Path) -> None:
    """No stop is cancelled for an exit that cannot be confirmed, and near the close the owner hears what stays held."""
    given = loads((cases / "orders-api-down-is-silent" / "input.json").read_bytes())
    day = play(market, tmp_path, answers=over_the_close(says(given, status=500), "orders", "order"))
    told_soon(day, what="order list", since=NEAR_THE_CLOSE)
    stop_kept(day)
    assert day.longest_gap() < timedelta(seconds=10)


@pytest.mark.long
@pytest.mark.parametrize("how", UNREADABLE)
def test_however_it_is_that_orders_cannot_be_read(market: Path, tmp_path: Path, how: str) -> None:
    """The same holds for a page of maintenance, for silence, a cut body, an empty one and another shape."""
    blind = play(market, tmp_path / "fill", answers=from_the_fill(UNREADABLE[how], "orders", "order"))
    told_soon(blind, what="order list", since=at(12, 26))
    sold_after(blind)
    close = play(market, tmp_path / "close", answers=over_the_close(UNREADABLE[how], "orders", "order"))
    told_soon(close, what="order list", since=NEAR_THE_CLOSE)
    stop_kept(close)


@pytest.mark.long
@pytest.mark.parametrize(("endpoint", "what"), [("portfolio", "portfolio"), ("balance", "balance")])
@pytest.mark.parametrize("how", ["500", "silence", "otherwise"])
def test_other_answers_that_cannot_be_read_are_told(
    market: Path, tmp_path: Path, endpoint: Endpoint, what: str, how: str
) -> None:
    """Without a portfolio or a balance nothing is entered, and the owner hears of both within five minutes."""
    day = play(market, tmp_path, answers=Answers(Rule(endpoint=endpoint, change=UNREADABLE[how], since=at(12, 11))))
    assert day.result.ledger.orders == ()
    told_soon(day, what=what, since=at(12, 11))
    assert day.of("entry_not_judged", SYMBOL, what)


def test_a_day_on_which_nobody_is_told_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where nobody looks each minute, as it once was, the check of such a day fails."""
    silent_watch = replace(TOPOLOGY, schedules=tuple(one for one in TOPOLOGY.schedules if one.name != "settle"))
    around = replace(PLAIN, topology=silent_watch)
    day = play(market, tmp_path, answers=from_the_fill(UNREADABLE["500"], "orders", "order"), around=around)
    with pytest.raises(AssertionError):
        told_soon(day, what="order list", since=at(12, 26))


def test_a_stop_that_is_taken_away_blindly_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where the stop is cancelled and nothing is sold, as it once was, the check of such a day fails."""
    cancels = ((at(12, 50, 5), cancel_sells),)
    day = play(market, tmp_path, answers=over_the_close(UNREADABLE["500"], "orders", "order"), deeds=cancels)
    with pytest.raises(AssertionError):
        stop_kept(day)
