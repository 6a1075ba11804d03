"""Each kind of violation appears when its fault is seeded, and only then."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from infra.running.station import allowance
from infra.simulated_day.book import Book
from infra.simulated_day.ledger import BrokerLedger
from infra.simulated_day.violations import unprotected, violations
from tests.simulated_day.sample import CASH, HOURS, Sample, at, quiet_day


def found(ledger: BrokerLedger, book: Book, undeclared: tuple[str, ...] = ()) -> list[str]:
    """Judge a day that was changed by hand."""
    return violations(ledger=ledger, book=book, undeclared=undeclared, starting_cash=CASH, hours=HOURS)


def test_a_clean_day_has_none() -> None:
    """A day on which both sides agree has no violation."""
    day = quiet_day()
    assert found(day.ledger(), day.book()) == []


def test_a_day_without_trades_has_none() -> None:
    """A day on which nothing happened has no violation."""
    assert found(Sample().ledger(), Sample().book()) == []


def test_share_difference() -> None:
    """A share that only the simulator holds is named with its symbol, as a difference and as open."""
    day = quiet_day()
    sentences = found(replace(day.ledger(), positions={"IBM": 1}), day.book())
    assert sentences == [
        "Book differs from the simulator's ledger: 0 shares of IBM in the book, 1 at the simulator.",
        "Position open after the close: 1 shares of IBM at the simulator, 0 in the book.",
    ]


def test_fill_difference() -> None:
    """A fill that the book lost shows in its order, in the cash and in the profit."""
    day = quiet_day()
    book = day.book()
    sentences = found(day.ledger(), replace(book, fills=book.fills[:-1]))
    assert len(sentences) == 3
    assert "order 406 filled 0 shares for 0.00 USD in the book, 207 shares" in sentences[0]
    assert "cash" in sentences[1]
    assert "realised profit by fill" in sentences[2]


def test_one_cent_of_profit() -> None:
    """One cent of realised profit more at the simulator is a difference."""
    day = quiet_day()
    ledger = day.ledger()
    sentences = found(replace(ledger, realized_pnl=ledger.realized_pnl + Decimal("0.01")), day.book())
    assert [sentence.startswith("Book differs") for sentence in sentences] == [True, True]


def test_a_price_on_one_side() -> None:
    """A fill whose price differs by a cent a share is named with both amounts."""
    day = quiet_day()
    book = day.book()
    first = replace(book.fills[0], price=book.fills[0].price + Decimal("0.01"))
    assert "order 401 filled" in found(day.ledger(), replace(book, fills=(first, *book.fills[1:])))[0]


def test_an_average_of_four_decimals() -> None:
    """Of an order filled in two pieces, the book may miss what its average price cannot tell, and not a cent more."""
    day = quiet_day()
    ledger, book = day.ledger(), day.book()
    whole = next(fill for fill in ledger.fills if fill.order_id == 406)
    pieces = (replace(whole, quantity=1), replace(whole, quantity=whole.quantity - 1))
    split = replace(ledger, fills=tuple(one for one in ledger.fills if one is not whole) + pieces)

    def judged(off_by: str) -> list[str]:
        moved = split.fills[-1].price + Decimal(off_by) / (whole.quantity - 1)
        moved_fills = (*split.fills[:-1], replace(split.fills[-1], price=moved))
        return found(replace(split, fills=moved_fills, cash=ledger.cash + Decimal(off_by)), book)

    assert whole.quantity * Decimal("0.00005") > Decimal("0.01")
    assert judged("0.01") == []
    assert len(judged("0.03")) == 2


def test_open_position() -> None:
    """A position that only the book believes open is named."""
    day = quiet_day()
    book = day.book()
    held = replace(book.positions[0], is_open=True, quantity=54)
    sentences = found(day.ledger(), replace(book, positions=(held, *book.positions[1:])))
    assert "Position open after the close: 0 shares of IBM at the simulator, 54 in the book." in sentences


def test_unprotected_position() -> None:
    """A stop that works 10.1 s after the fill is named with its instants, one after 10 s is not."""
    late, in_time = Sample(), Sample()
    late.trade("IBM", at=at(10, 5), held=timedelta(minutes=9), quantity=54, stop_after_s=10.1)
    in_time.trade("IBM", at=at(10, 5), held=timedelta(minutes=9), quantity=54, stop_after_s=10)
    (sentence,) = found(late.ledger(), late.book())
    assert sentence.startswith("Position unprotected for 10.1 s: up to 54 shares of IBM had no live sell")
    assert sentence.endswith("from 10:05:02 to 10:05:12 New York.")
    assert found(in_time.ledger(), in_time.book()) == []


def test_a_machine_that_runs_a_day_faster_is_allowed_its_own_time() -> None:
    """Half a real second at the desk's speed is allowed beyond the ten, and named; at speed 1 or less nothing is."""
    late, later = Sample(), Sample()
    late.trade("IBM", at=at(10, 5), held=timedelta(minutes=9), quantity=54, stop_after_s=40)
    later.trade("IBM", at=at(10, 5), held=timedelta(minutes=9), quantity=54, stop_after_s=40.1)
    assert unprotected(late.ledger(), HOURS, allowance(60)) == []
    (sentence,) = unprotected(later.ledger(), HOURS, allowance(60))
    assert sentence.startswith("Position unprotected for 40.1 s")
    assert sentence.endswith("New York. Allowed are 10.0 s and 30.0 s for this machine.")
    assert [allowance(speed) for speed in (0.5, 1.0)] == [timedelta(0), timedelta(0)]
    assert len(unprotected(late.ledger(), HOURS)) == 1


def test_throttle_answer() -> None:
    """One throttle answer is a violation."""
    day = quiet_day()
    sentences = found(replace(day.ledger(), throttled=1), day.book())
    assert sentences == ["Throttle answer received: the simulator refused 1 calls because they came too fast."]


def test_second_place() -> None:
    """Two place requests with one name are a violation, whatever the second one's outcome."""
    day = quiet_day()
    ledger = day.ledger()
    again = replace(ledger.place_requests[0], outcome="refused 1042")
    sentences = found(replace(ledger, place_requests=(*ledger.place_requests, again)), day.book())
    assert sentences == [f"Second place for one intent: {again.client_order_id} reached the simulator 2 times."]


def test_broken_chain() -> None:
    """A flipped fact, a cut tail and a missing seal of the audit trail are each named."""
    day = quiet_day()
    book = day.book()
    flipped = replace(book.events[0], cause="another")
    assert "was changed" in found(day.ledger(), replace(book, events=(flipped, *book.events[1:])))[0]
    cut = found(day.ledger(), replace(book, events=book.events[:-1]))
    assert ["does not hold its sealed head" in cut[0], "does not end with" in cut[1]] == [True, True]
    (unsealed,) = found(day.ledger(), replace(book, seals={}))
    assert "7 of 7 chains are not sealed" in unsealed


def test_undeclared_access() -> None:
    """A refused access is named once, however often it was tried."""
    day = quiet_day()
    what = "market_scan has no right to WRITE on collection control"
    assert found(day.ledger(), day.book(), (what, what)) == [f"Undeclared access: {what}."]
