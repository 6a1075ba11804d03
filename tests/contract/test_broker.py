"""What every broker promises, held by the real client on the simulator and by paper with quotes from it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.base.values import Side, Term
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.broker.outcomes import (
    Accepted,
    CancelRefused,
    CancelTaken,
    NeverSent,
    PreviewAnswer,
    Previewed,
    Rejected,
    UnknownOutcome,
)
from shared.ports import Store
from tests.contract.brokers import CASH, KEY, OTHER, SYMBOL, Desk, numbers, open_desk, sell, ticket
from tests.infra.brokersim.world import CLOSE, DAY, NOON

BROKERS = ("etrade", "paper")


@pytest.fixture(params=BROKERS)
def desk(request: pytest.FixtureRequest) -> Desk:
    """Give a desk of each kind in turn, at noon."""
    return open_desk(request.param)


def _code(answer: PreviewAnswer) -> str | None:
    return answer.code if isinstance(answer, Rejected) else None


def test_a_new_account_is_all_cash(desk: Desk) -> None:
    """Before any order there is an active account with 100,000 USD to spend, nothing held and nothing listed."""
    assert KEY in {account.key for account in desk.broker.accounts() if account.active}
    balance = desk.broker.balance(KEY)
    assert (balance.account_mode, balance.settled_cash, balance.usable) == ("CASH", CASH, CASH)
    assert balance.account_value == CASH
    assert (desk.shares(), desk.broker.orders(KEY, since=DAY), desk.broker.order(KEY, 401)) == ({}, (), None)


def test_a_limit_at_the_touch_fills(desk: Desk) -> None:
    """A buy at the asked price fills whole at that price, and cash and shares change hands without commission."""
    order = desk.order(desk.bought())
    assert (order.status, order.filled, order.average_price) == (BrokerStatus.EXECUTED, 100, Decimal("10.02"))
    assert (order.symbol, order.side, order.quantity, order.limit_price) == (SYMBOL, Side.BUY, 100, Decimal("10.02"))
    assert desk.shares() == {SYMBOL: 100}
    assert desk.broker.portfolio(KEY)[0].cost_per_share == Decimal("10.02")
    assert desk.broker.balance(KEY).usable == CASH - 1002


def test_nothing_fills_before_its_latency(desk: Desk) -> None:
    """An order that was taken this moment is open and unfilled for half a second, whatever is quoted."""
    order_id = desk.placed(ticket())
    desk.wait(0.4)
    assert (desk.order(order_id).status, desk.order(order_id).filled) == (BrokerStatus.OPEN, 0)
    desk.wait()
    assert desk.order(order_id).filled == 100


def test_no_more_fills_than_is_displayed(desk: Desk) -> None:
    """Of 100 shares wanted, 40 displayed ones fill once, however often they are seen; the next market gives more."""
    desk.move("10.00", "10.02", size=40)
    order_id = desk.bought()
    desk.wait(6)
    order = desk.order(order_id)
    assert (order.status, order.filled) == (BrokerStatus.OPEN, 40)
    desk.move("10.00", "10.01", size=50)
    desk.wait()
    order = desk.order(order_id)
    assert (order.filled, order.average_price) == (90, Decimal("10.0144"))


def test_displayed_shares_are_shared(desk: Desk) -> None:
    """Two orders that meet the same market take no more of it together than it displays, the older one first."""
    desk.move("10.00", "10.02", size=120)
    first, second = desk.placed(ticket("First1")), desk.placed(ticket("Second1"))
    desk.wait()
    assert (desk.order(first).filled, desk.order(second).filled) == (100, 20)


def test_a_limit_away_from_the_market_rests(desk: Desk) -> None:
    """A buy below the asked price waits until the market comes to it, and fills at what is asked then."""
    order_id = desk.placed(ticket(limit="9.95"))
    desk.wait()
    assert desk.order(order_id).filled == 0
    desk.move("9.90", "9.94")
    desk.wait()
    order = desk.order(order_id)
    assert (order.status, order.average_price) == (BrokerStatus.EXECUTED, Decimal("9.94"))


def test_an_immediate_order_does_not_rest(desk: Desk) -> None:
    """What an immediate order cannot take at once is cancelled, and what it took stays taken."""
    desk.move("10.00", "10.02", size=30)
    order_id = desk.placed(ticket(term=Term.IMMEDIATE_OR_CANCEL))
    desk.wait()
    desk.move("10.00", "10.02", size=500)
    desk.wait()
    order = desk.order(order_id)
    assert (order.status, order.filled) == (BrokerStatus.CANCELLED, 30)
    assert desk.broker.balance(KEY).usable == CASH - 30 * Decimal("10.02")


def test_a_stop_waits_and_triggers(desk: Desk) -> None:
    """A sell stop rests above the market's reach, and sells at the bid once the last trade is at its level."""
    desk.bought()
    order_id = desk.placed(sell("Stop1", stop="9.90"))
    desk.wait()
    resting = desk.order(order_id)
    assert (resting.status, resting.filled, resting.stop_price) == (BrokerStatus.OPEN, 0, Decimal("9.90"))
    desk.move("9.85", "9.95", last="9.91")
    desk.wait()
    assert desk.order(order_id).filled == 0
    desk.move("9.86", "9.92", last="9.90")
    desk.wait()
    order = desk.order(order_id)
    assert (order.status, order.average_price) == (BrokerStatus.EXECUTED, Decimal("9.86"))
    assert desk.shares() == {}


def test_a_triggered_stop_stays_triggered(desk: Desk) -> None:
    """A stop that sold a part goes on selling, also when the market recovers above its level."""
    desk.bought()
    order_id = desk.placed(sell("Stop1", stop="9.90"))
    desk.move("9.80", "9.90", size=10, last="9.85")
    desk.wait()
    assert desk.order(order_id).filled == 10
    desk.move("9.97", "10.02", last="10.00")
    desk.wait()
    assert desk.order(order_id).status is BrokerStatus.EXECUTED


def test_a_market_order_sells_at_the_bid(desk: Desk) -> None:
    """A sell without a limit takes what is bid, whatever it is."""
    desk.bought()
    desk.move("9.50", "10.40")
    order_id = desk.placed(sell(limit=None))
    desk.wait()
    assert desk.order(order_id).average_price == Decimal("9.50")


def test_a_cancel_is_asked_and_then_true(desk: Desk) -> None:
    """A cancelled order is first asked to end and then ended; it gives back what it reserved and never fills."""
    order_id = desk.placed(ticket(limit="9.95"))
    desk.wait()
    assert desk.broker.balance(KEY).usable == CASH - 995
    assert isinstance(desk.broker.cancel(KEY, order_id), CancelTaken)
    desk.wait()
    assert desk.order(order_id).status is BrokerStatus.CANCELLED
    assert desk.broker.balance(KEY).usable == CASH
    desk.move("9.90", "9.94")
    desk.wait()
    assert (desk.order(order_id).filled, desk.shares()) == (0, {})


def test_a_second_cancel_is_refused(desk: Desk) -> None:
    """A cancel of an order that has ended is refused with 5001, and one of no order is not known to have worked."""
    filled = desk.bought()
    answer = desk.broker.cancel(KEY, filled)
    assert answer == CancelRefused(code="5001")
    assert isinstance(desk.broker.cancel(KEY, 999_999), UnknownOutcome)
    assert desk.order(filled).status is BrokerStatus.EXECUTED


def test_a_pending_cancel_is_not_asked_twice(desk: Desk) -> None:
    """While a cancel is pending the list says so, and another one is refused with 5003."""
    order_id = desk.placed(ticket(limit="9.95"))
    desk.broker.cancel(KEY, order_id)
    assert desk.order(order_id).status is BrokerStatus.CANCEL_REQUESTED
    assert desk.broker.cancel(KEY, order_id) == CancelRefused(code="5003")


def test_a_fill_may_come_before_a_cancel(desk: Desk) -> None:
    """An order that fills before its cancel takes effect is executed, and the cancel has no effect."""
    order_id = desk.placed(ticket())
    desk.clock.forward(0.7)
    desk.broker.cancel(KEY, order_id)
    desk.look()
    desk.wait()
    assert (desk.order(order_id).status, desk.shares()) == (BrokerStatus.EXECUTED, {SYMBOL: 100})


def test_refusals_have_their_codes(desk: Desk) -> None:
    """Too little cash, too few shares, a stop through the market and an unknown symbol are refused by number."""
    desk.bought(100)
    ask = desk.broker.preview
    assert _code(ask(KEY, ticket("Big1", quantity=9_999))) == "1021"
    assert _code(ask(KEY, sell("Much1", quantity=101))) == "1037"
    assert _code(ask(KEY, ticket("Strange1", symbol="ZZZZ"))) == "101"
    desk.broker.quotes([SYMBOL])
    assert _code(ask(KEY, sell("High1", stop="10.50"))) == "101"
    assert isinstance(ask(KEY, sell("Fits1")), Previewed)


def test_shares_and_cash_are_reserved(desk: Desk) -> None:
    """Shares under a live sell, and cash under a live buy, are not there for another order."""
    desk.bought(100)
    desk.placed(sell("Stop1", quantity=60, stop="9.00"))
    assert _code(desk.broker.preview(KEY, sell("More1", quantity=41))) == "1037"
    assert isinstance(desk.broker.preview(KEY, sell("Rest1", quantity=40)), Previewed)
    desk.placed(ticket("Large1", quantity=9_000, limit="9.50"))
    assert _code(desk.broker.preview(KEY, ticket("Large2", quantity=2_000, limit="9.50"))) == "1021"


def test_what_was_previewed_is_judged_again(desk: Desk) -> None:
    """Of two previews for the same shares, or for the same cash, one is placed and the other is refused then."""
    desk.bought(100)
    for code, tickets in {
        "1037": [sell(name, quantity=60, limit="11.00") for name in ("Sell1", "Sell2")],
        "1021": [ticket(name, quantity=6_000, limit="9.50") for name in ("Buy1", "Buy2")],
    }.items():
        previews = [desk.broker.preview(KEY, one) for one in tickets]
        answers = []
        for one, previewed in zip(tickets, previews, strict=True):
            assert isinstance(previewed, Previewed)
            answers.append(desk.broker.place(KEY, one, previewed.preview_ids, deadline=desk.deadline))
        assert isinstance(answers[0], Accepted)
        assert isinstance(answers[1], Rejected)
        assert answers[1].code == code


def test_a_stop_that_the_market_passed_is_not_accepted(desk: Desk) -> None:
    """A stop that was below the market at its preview and is above it at its place is no order, nor surely refused."""
    desk.bought(100)
    stop = sell("Stop1", stop="9.90")
    previewed = desk.broker.preview(KEY, stop)
    assert isinstance(previewed, Previewed)
    desk.move("9.70", "9.72")
    desk.broker.quotes([SYMBOL])
    answer = desk.broker.place(KEY, stop, previewed.preview_ids, deadline=desk.deadline)
    assert isinstance(answer, UnknownOutcome)
    assert len(desk.broker.orders(KEY, since=DAY)) == 1


def test_a_preview_may_be_placed_two_minutes_later(desk: Desk) -> None:
    """A preview that is not used at once is good for two minutes."""
    previewed = desk.broker.preview(KEY, ticket())
    assert isinstance(previewed, Previewed)
    desk.clock.forward(120)
    answer = desk.broker.place(KEY, ticket(), previewed.preview_ids, deadline=desk.deadline)
    assert isinstance(answer, Accepted)


def test_proceeds_settle_the_next_day(desk: Desk) -> None:
    """What a sell brings into a cash account is part of its value at once, and may be spent only from tomorrow on."""
    desk.bought(100)
    desk.placed(sell())
    desk.wait()
    balance = desk.broker.balance(KEY)
    assert balance.usable == balance.settled_cash == CASH - 1002
    assert balance.account_value == CASH - 2


def test_a_client_order_id_counts_once(desk: Desk) -> None:
    """A second order under a used name is not accepted, while the first one lives and after it has ended."""
    desk.placed(ticket("Once1", limit="9.50"))
    assert isinstance(desk.place(ticket("Once1", limit="9.50")), UnknownOutcome)
    desk.bought(name="Once2")
    assert isinstance(desk.place(ticket("Once2")), UnknownOutcome)
    assert len(desk.broker.orders(KEY, since=DAY)) == 2


def test_a_preview_counts_once_and_for_its_own_order(desk: Desk) -> None:
    """A preview that was used, that is of another order or that is old places nothing."""
    first = desk.broker.preview(KEY, ticket("First1"))
    assert isinstance(first, Previewed)
    other = desk.broker.place(KEY, ticket("Second1"), first.preview_ids, deadline=desk.deadline)
    assert isinstance(other, UnknownOutcome)
    assert isinstance(desk.broker.place(KEY, ticket("First1"), first.preview_ids, deadline=desk.deadline), Accepted)
    again = desk.broker.place(KEY, ticket("First1"), first.preview_ids, deadline=desk.deadline)
    assert isinstance(again, UnknownOutcome)
    late = desk.broker.preview(KEY, ticket("Late1"))
    assert isinstance(late, Previewed)
    desk.clock.forward(181)
    answer = desk.broker.place(KEY, ticket("Late1"), late.preview_ids, deadline=desk.deadline)
    assert isinstance(answer, UnknownOutcome)
    assert len(desk.broker.orders(KEY, since=DAY)) == 1


def test_a_deadline_that_has_passed_sends_nothing(desk: Desk) -> None:
    """An order whose deadline is over is never sent, and is in no list."""
    previewed = desk.broker.preview(KEY, ticket())
    assert isinstance(previewed, Previewed)
    answer = desk.broker.place(KEY, ticket(), previewed.preview_ids, deadline=desk.clock.at)
    assert isinstance(answer, NeverSent)
    assert desk.broker.orders(KEY, since=DAY) == ()


def test_an_estimate_has_the_side_s_sign(desk: Desk) -> None:
    """A preview estimates what a purchase costs as a positive sum, and what a sale brings as a negative one."""
    desk.bought(100)
    buy, sale = desk.broker.preview(KEY, ticket("Buy1")), desk.broker.preview(KEY, sell("Sale1"))
    assert isinstance(buy, Previewed)
    assert isinstance(sale, Previewed)
    assert (buy.estimated_total, sale.estimated_total) == (Decimal("1002.00"), Decimal("-1000.00"))


def test_the_list_is_complete_and_newest_first(desk: Desk) -> None:
    """Live and ended orders are listed together, each once, the newest first, and none from before the day asked."""
    ended = desk.bought(10, name="Ended1")
    names = [f"Live{number}" for number in range(3)]
    live = [desk.placed(ticket(name, quantity=1, limit="9.00")) for name in names]
    found = desk.broker.orders(KEY, since=DAY)
    assert numbers(found) == [*reversed(live), ended]
    assert desk.broker.orders(KEY, since=DAY + timedelta(days=1)) == ()


@pytest.mark.parametrize("name", BROKERS)
def test_the_close_ends_what_is_for_the_day(name: str) -> None:
    """After the close an order for the day has expired and fills no more; one until it is cancelled is still open."""
    desk = open_desk(name, at=CLOSE - timedelta(seconds=90))
    desk.bought()
    day = desk.placed(sell("Day1", quantity=50, limit="11.00"))
    stop = desk.placed(sell("Stop1", quantity=50, stop="9.00"))
    desk.clock.at = CLOSE + timedelta(seconds=2)
    assert desk.order(day).status is BrokerStatus.EXPIRED
    desk.move("12.00", "12.02")
    desk.wait()
    assert (desk.order(day).filled, desk.order(stop).status) == (0, BrokerStatus.OPEN)


@pytest.mark.parametrize("name", BROKERS)
def test_before_the_open_an_order_waits(name: str) -> None:
    """An order of the morning is taken, waits for the open, and meets the first market after it."""
    desk = open_desk(name, at=NOON - timedelta(hours=2, minutes=31))
    desk.market.add(desk.clock.at - timedelta(minutes=5), "10.00", "10.02", size=1000, last=None)
    order_id = desk.placed(ticket())
    desk.wait()
    assert (desk.order(order_id).status, desk.order(order_id).filled) == (BrokerStatus.OPEN, 0)
    desk.clock.at = NOON - timedelta(hours=2, minutes=29)
    desk.wait()
    assert desk.order(order_id).filled == 100


def test_other_symbols_are_left_alone(desk: Desk) -> None:
    """An order fills in its own symbol only."""
    order_id = desk.placed(ticket("Other1", symbol=OTHER, limit="9.95"))
    desk.move("9.00", "9.02")
    desk.wait()
    assert desk.order(order_id).filled == 0


def test_paper_is_the_same_in_every_store(store: Store) -> None:
    """A fill, a stop, a cancel and an expiry on paper read the same from memory, from a file and from Firestore."""
    desk = open_desk("paper", at=CLOSE - timedelta(minutes=2), store=store)
    bought = desk.bought()
    stop = desk.placed(sell("Stop1", quantity=60, stop="9.90"))
    cancelled, day = desk.placed(ticket("Low1", limit="9.00")), desk.placed(ticket("Low2", limit="9.00"))
    desk.broker.cancel(KEY, cancelled)
    desk.move("9.80", "9.82")
    desk.wait()
    desk.clock.at = CLOSE + timedelta(seconds=2)
    found = {order.order_id: (order.status, order.filled) for order in desk.broker.orders(KEY, since=DAY)}
    assert found == {
        bought: (BrokerStatus.EXECUTED, 100),
        stop: (BrokerStatus.EXECUTED, 60),
        cancelled: (BrokerStatus.CANCELLED, 0),
        day: (BrokerStatus.EXPIRED, 0),
    }
    assert desk.shares() == {SYMBOL: 40}
    assert desk.broker.balance(KEY).usable == CASH - 1002
    assert all(desk.order(order_id).order_id == order_id for order_id in (bought, stop, cancelled, day))
