"""The Broker port: what is asked, how often, what is journaled, and what an order call answers."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from requests import PreparedRequest
from requests.exceptions import ConnectTimeout, ReadTimeout

from shared.domain.broker.outcomes import (
    UnknownOutcome,
)
from shared.domain.market.quotes import Quotes
from shared.errors import (
    AuthError,
    DeskError,
    NotSent,
    Refused,
    StoreDown,
    Throttled,
    TokenDead,
    TokenIdle,
    Unreadable,
)
from shared.etrade.faults import ServerFailure, Unavailable
from shared.etrade.limits import Role
from shared.etrade.session import Credentials
from shared.ports import Broker
from tests.etrade import samples
from tests.etrade.test_build import TICKET
from tests.etrade.world import (
    ACCOUNT_KEY,
    CREDENTIALS,
    START,
    Reply,
    SeededChance,
    error_reply,
    json_reply,
    world,
)

BASE = f"https://api.etrade.com/v1/accounts/{ACCOUNT_KEY}"
TODAY = date(2026, 11, 23)
GOOD = json_reply(samples.ACCOUNTS)


def test_the_client_is_a_broker() -> None:
    """The client has every method of the Broker port with its types."""
    broker: Broker = world(GOOD).broker()
    assert len(broker.accounts()) == 1


def test_each_read_asks_the_documented_address() -> None:
    """Accounts, balance, portfolio, orders and one order are asked at their documented addresses."""
    made = world(
        GOOD,
        json_reply(samples.BALANCE),
        json_reply(samples.portfolio()),
        json_reply(samples.orders()),
        json_reply(samples.orders(samples.order(674))),
    )
    broker = made.broker()
    broker.accounts()
    assert broker.balance(ACCOUNT_KEY).at == made.clock.now()
    broker.portfolio(ACCOUNT_KEY)
    broker.orders(ACCOUNT_KEY, since=date(2026, 11, 20))
    assert broker.order(ACCOUNT_KEY, 674) is not None
    assert made.broker_side.urls == [
        "https://api.etrade.com/v1/accounts/list.json",
        f"{BASE}/balance.json?instType=BROKERAGE&realTimeNAV=true",
        f"{BASE}/portfolio.json?count=100&pageNumber=1",
        f"{BASE}/orders.json?count=100&fromDate=11202026&toDate=11242026",
        f"{BASE}/orders/674.json",
    ]


def test_nothing_found_is_empty() -> None:
    """A 204 without body is an empty list, no order, or no quotes."""
    broker = world((204, b"")).broker()
    assert broker.accounts() == ()
    assert broker.portfolio(ACCOUNT_KEY) == ()
    assert broker.orders(ACCOUNT_KEY, since=TODAY) == ()
    assert broker.order(ACCOUNT_KEY, 1) is None
    assert broker.quotes(["AAPL"]) == {}


def test_a_204_with_a_body_is_unreadable() -> None:
    """A 204 that has a body all the same is neither an empty list nor a success of any call."""
    broker = world((204, json_reply(samples.preview())[1])).broker()
    with pytest.raises(Unreadable):
        broker.orders(ACCOUNT_KEY, since=TODAY)
    with pytest.raises(Unreadable):
        broker.preview(ACCOUNT_KEY, TICKET)


def test_a_balance_of_nothing_is_unreadable() -> None:
    """A 204 to a balance is Unreadable, never zero money."""
    with pytest.raises(Unreadable):
        world((204, b"")).broker().balance(ACCOUNT_KEY)


@pytest.mark.parametrize("at_utc_hour", [-12, 0])
def test_the_day_of_a_list_is_new_yorks(at_utc_hour: int) -> None:
    """Just after midnight UTC the list still runs to New York's today and one day more."""
    made = world((204, b""))
    made.clock.at = START.replace(hour=3) if at_utc_hour else START
    made.broker().orders(ACCOUNT_KEY, since=date(2026, 11, 22))
    last = "11232026" if at_utc_hour else "11242026"
    assert made.broker_side.urls[0].endswith(f"fromDate=11222026&toDate={last}")


SYMBOLS = [f"S{n}" for n in range(118)]


def quoted(request: PreparedRequest) -> list[str]:
    """Give the symbols that a request asks for."""
    return str(request.url).split("/quote/")[1].split(".json")[0].split(",")


def quoting(request: PreparedRequest) -> tuple[int, bytes]:
    """Quote everything."""
    return json_reply(samples.quote_body(*(samples.quote_entry(symbol) for symbol in quoted(request))))


def failing(with_: tuple[int, bytes], *, first: str) -> Callable[[PreparedRequest], tuple[int, bytes]]:
    """Quote everything but what begins with this symbol, which fails."""
    return lambda request: with_ if quoted(request)[0] == first else quoting(request)


def test_quotes_are_asked_fifty_a_call() -> None:
    """Any number of symbols is asked 50 a call, 60 ms apart, each once, and none makes no call."""
    made = world(quoting, role=Role.SCAN)
    found = made.broker().quotes([*SYMBOLS, *SYMBOLS[:60]], others=SYMBOLS)
    assert list(found) == SYMBOLS
    assert [(line["symbols"], line["call"]) for line in made.journal.lines] == [(50, 1), (50, 2), (18, 3)]
    assert made.clock.now() == START + timedelta(milliseconds=120)
    assert all(
        url.endswith(".json?overrideSymbolCount=true&skipMiniOptionsCheck=true&detailFlag=ALL")
        for url in made.broker_side.urls
    )
    assert made.broker().quotes([]) == {}
    assert len(made.broker_side.requests) == 3


def test_a_call_that_fails_costs_its_own_symbols() -> None:
    """Of three calls one fails: its symbols have that failure, raised to whoever looks, and the others their quotes."""
    found = world(failing((200, b"{"), first="S50"), role=Role.SCAN).broker().quotes(SYMBOLS)
    assert set(found.heard) == {*SYMBOLS[:50], *SYMBOLS[100:]}
    assert set(found.failed) == set(SYMBOLS[50:100])
    assert found["S7"].symbol == "S7"
    for look in (lambda: found.get("S50"), lambda: "S99" in found, lambda: dict(found), lambda: len(found)):
        with pytest.raises(Unreadable):
            look()


def test_when_all_calls_fail_all_symbols_have_failed() -> None:
    """A broker that answers nothing is a failure of every symbol, and no answer without quotes."""
    found = world((500, b""), role=Role.SCAN).broker().quotes(SYMBOLS)
    assert (dict(found.heard), set(found.failed)) == ({}, set(SYMBOLS))


def test_a_refused_token_ends_all_calls() -> None:
    """One call that finds the token dead is an AuthError, whatever the others brought."""
    dead = 401, samples.oauth_xml("token_expired")
    with pytest.raises(AuthError):
        world(failing(dead, first="S50"), role=Role.SCAN).broker().quotes(SYMBOLS)


def test_credentials_that_cannot_be_read_fail_their_call_alone() -> None:
    """A store that fails while a call looks for the token costs that call, and no minute of the scan."""
    made, looks = world(quoting, role=Role.SCAN), iter([True, False, True])

    def credentials() -> Credentials:
        if next(looks):
            return CREDENTIALS
        raise StoreDown("the store does not answer")

    found = made.broker(credentials=credentials).quotes(SYMBOLS)
    assert (set(found.heard), set(found.failed)) == ({*SYMBOLS[:50], *SYMBOLS[100:]}, set(SYMBOLS[50:100]))
    with pytest.raises(NotSent, match="does not answer"):
        found.get("S50")


def test_others_are_asked_as_far_as_they_fit_in() -> None:
    """Who asks again in a second gets what must be asked, and of the others, in their order, as much as fits."""
    made = world(quoting, role=Role.SCAN)
    broker, found = made.broker(), list[Quotes]()
    for second in range(3):
        made.clock.sleep_until(START + timedelta(seconds=second))
        next_at = START + timedelta(seconds=second + 1)
        found.append(broker.quotes(SYMBOLS[100:], others=SYMBOLS[:100], next_at=next_at))
    assert [len(quoted(request)) for request in made.broker_side.requests] == [50, 50, 50, 18, 50, 50]
    assert [one.unasked for one in found] == [{*SYMBOLS[32:100]}, set(), {*SYMBOLS[82:100]}]
    with pytest.raises(NotSent):
        found[-1].get("S99")
    with pytest.raises(NotSent):
        list(found[-1])


def test_what_must_be_asked_is_asked_again_and_the_others_are_not() -> None:
    """In a tick the call for what is held is repeated; one for others alone waits for the next tick."""
    for first, attempts in (("S0", 3), ("S50", 1)):
        made = world(failing((500, b""), first=first), role=Role.SCAN)
        broker = made.broker()
        broker.quotes(SYMBOLS[100:])
        made.clock.sleep_until(START + timedelta(seconds=1))
        broker.quotes(SYMBOLS[:20], others=SYMBOLS[20:100], next_at=START + timedelta(seconds=2))
        assert [line["attempt"] for line in made.journal.lines if line["status"] == 500] == [*range(1, attempts + 1)]


def test_the_portfolio_is_read_to_its_last_page() -> None:
    """All pages of a portfolio are read, by the number of pages that the broker names."""
    made = world(
        json_reply(samples.portfolio(samples.position(1, "A", 1), pages=2)),
        json_reply(samples.portfolio(samples.position(2, "B", 2), pages=2)),
    )
    assert [holding.symbol for holding in made.broker().portfolio(ACCOUNT_KEY)] == ["A", "B"]
    assert "pageNumber=2" in made.broker_side.urls[1]


def test_orders_are_read_to_the_last_marker() -> None:
    """All pages of the order list are read, each order once, newest first."""
    made = world(
        json_reply(samples.orders(samples.order(9), samples.order(8), marker="88")),
        json_reply(samples.orders(samples.order(8), samples.order(7), marker="77")),
        (204, b""),
    )
    found = made.broker().orders(ACCOUNT_KEY, since=TODAY)
    assert [order.order_id for order in found] == [9, 8, 7]
    assert [url.partition("marker=")[2] for url in made.broker_side.urls] == ["", "88", "77"]


def test_a_list_without_end_is_unreadable() -> None:
    """A broker that repeats its marker for ever gives no list rather than half of one."""
    made = world(json_reply(samples.orders(samples.order(9), marker="88")))
    with pytest.raises(Unreadable):
        made.broker().orders(ACCOUNT_KEY, since=TODAY)
    assert len(made.broker_side.requests) == 2


def test_another_order_than_asked_is_unreadable() -> None:
    """An answer about another order is not passed off as this one."""
    with pytest.raises(Unreadable):
        world(json_reply(samples.orders(samples.order(9)))).broker().order(ACCOUNT_KEY, 8)


@pytest.mark.parametrize(
    ("reply", "calls", "kind"),
    [
        (ConnectTimeout(), 3, NotSent),
        (ReadTimeout(), 3, Unavailable),
        ((500, b""), 3, ServerFailure),
        ((503, b"<html/>"), 3, ServerFailure),
        ((429, b""), 3, Throttled),
        ((400, samples.RATE_HTML), 3, Throttled),
        ((401, samples.oauth_xml("nonce_used")), 3, Unavailable),
        ((401, samples.oauth_xml("token_expired")), 1, TokenIdle),
        ((401, samples.oauth_xml("token_rejected")), 1, TokenDead),
        ((403, b""), 1, AuthError),
        (error_reply(102, "no"), 1, Refused),
        ((302, b""), 1, Unreadable),
        ((200, b"<html/>"), 1, Unreadable),
        ((200, b""), 1, Unreadable),
    ],
)
def test_a_read_is_repeated_only_when_that_can_help(reply: Reply, calls: int, kind: type[DeskError]) -> None:
    """A read has three attempts at what may pass and one at what will not, and fails with the right error."""
    made = world(reply)
    with pytest.raises(kind):
        made.broker().accounts()
    assert [line["attempt"] for line in made.journal.lines] == list(range(1, calls + 1))


def test_a_read_recovers_with_a_fresh_signature() -> None:
    """A read that fails twice succeeds at the third attempt, each time under another nonce."""
    made = world((401, samples.oauth_xml("nonce_used")), ReadTimeout(), GOOD)
    assert len(made.broker().accounts()) == 1
    assert len({request.headers["Authorization"] for request in made.broker_side.requests}) == 3


def test_the_waits_between_attempts_are_jittered_and_short() -> None:
    """Between attempts a read waits at most 0.2 and then 0.4 s, besides its turn in the limiter."""
    made = world((500, b""))
    made.chance = SeededChance(high=True)
    with pytest.raises(ServerFailure):
        made.broker().quotes(["AAPL"]).get("AAPL")
    waits = [at - START for at in made.clock.woken]
    assert waits[0] == timedelta(milliseconds=200)
    assert waits[2] == timedelta(milliseconds=1460)


def test_no_attempt_begins_after_eight_seconds() -> None:
    """A slow broker gets no further attempt once 8 s have passed since the read began."""

    def slow(_: PreparedRequest) -> tuple[int, bytes]:
        made.clock.at += timedelta(seconds=7.99)
        return 500, b""

    made = world(slow)
    made.chance = SeededChance(high=True)
    with pytest.raises(ServerFailure):
        made.broker().accounts()
    assert len(made.broker_side.requests) == 1


def test_a_throttle_answer_stops_the_module() -> None:
    """After a throttle answer the next call to the same module waits, and one to another module does not."""
    made = world(error_reply(5001, "no"), GOOD)
    made.broker_side.replies.insert(0, (400, samples.RATE_HTML))
    broker = made.broker()
    assert broker.cancel(ACCOUNT_KEY, 1) == UnknownOutcome(why="status 400, rate")
    broker.cancel(ACCOUNT_KEY, 1)
    assert made.clock.now() == START + timedelta(seconds=1.06)
    broker.accounts()
    assert made.clock.now() == START + timedelta(seconds=1.06)
