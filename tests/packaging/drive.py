"""What the cloud asks of the archives: each errand sends something from outside and reads its effect in Firestore.

None needs a secret, a market that is open or a login, so all of them hold on every day and in every place; what the
calendar makes of a tick is taken from the calendar.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.codec import decode, encode
from shared.domain.base.audit import AuditEvent, breaks
from shared.domain.base.calendar import is_open, new_york_day, session_at
from shared.domain.base.ids import intent_id, signal_id
from shared.domain.base.values import Side
from shared.domain.broker.brokerage import AccountRecord
from shared.domain.broker.tokens import TokenRecord
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.signals import Signal, Vote
from shared.domain.telling.messages import CloseTick, EnterPosition, PrepareTick, RefreshTick, ScanTick
from shared.ports import Create, Delete
from shared.topology import TOPOLOGY
from shared.usecases.base.desk import create, put
from shared.usecases.base.outbox import Row, pack
from shared.usecases.sign_in import token
from tests.packaging.graph import BUT_NOTICES, Graph, eventually, push_of, versioned

Errand = Callable[[Graph], None]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def signal(slot: int, *, age: timedelta = timedelta()) -> Signal:
    """Give a signal as the scan decides it, some time ago."""
    at = datetime.now(UTC) - age
    name = signal_id(strategy="momentum", symbol="AIG", side=Side.BUY, session=new_york_day(at), slot=slot)
    return Signal(
        signal_id=name, strategy="momentum", symbol="AIG", side=Side.BUY, session=new_york_day(at), slot=slot,
        decided_at=at, decision_price=Decimal(50), stop_distance=Decimal(1), confidence=Decimal("0.9"),
        quality=Decimal(1), votes=(Vote(strategy="momentum", confidence=Decimal("0.9"), reasons=("up",)),),
    )  # fmt: skip


def promise(owner: str, topic: str, name: str, data: bytes) -> Create:
    """Give the outbox row that a function leaves when it dies between a commit and its message."""
    return Create(f"outbox/{owner}:{name}", encode(Row(owner=owner, topic=topic, key="AIG", body=data.decode())))


def intent_of(seen: Signal) -> str:
    """Name the intent that a signal causes."""
    return intent_id(kind=Kind.ENTRY, cause=seen.signal_id, session=seen.session)


def decided(graph: Graph, seen: Signal) -> Order:
    """Wait for the end of a signal's order, whose audit trail is whole, and give it."""
    path = f"orders/{intent_of(seen)}"
    eventually(lambda: graph.documents("orders").get(path, {}).get("state") == State.VOIDED, f"{path} VOIDED")
    order = decode(Order, graph.documents("orders")[path])
    chain = [decode(AuditEvent, data) for data in graph.documents("audit").values() if data["chain"] == order.intent_id]
    assert breaks(chain, {order.intent_id: order.audit_head}) == []
    assert [event.after for event in sorted(chain, key=lambda event: event.seq)] == [State.NEW, State.VOIDED]
    return order


def takers(topic: str) -> set[str]:
    """Name the functions that a topic's messages are brought to."""
    return {one.name for one in TOPOLOGY.functions if any(each.topic == topic for each in one.subscriptions)}


def new_documents(graph: Graph, topic: str, data: bytes) -> dict[str, dict[str, Any]]:
    """Publish a message and give the documents that it made or changed, one for each taker, but for notices."""
    before, most = graph.documents(), len(takers(topic))
    graph.publish(topic, data)
    eventually(lambda: len(graph.new_documents(before, *BUT_NOTICES)) >= most, f"documents of what came on {topic}")
    made = graph.new_documents(before, *BUT_NOTICES)
    assert len(made) == most
    return made


def one_new_document(graph: Graph, topic: str, data: bytes) -> tuple[str, dict[str, Any]]:
    """Publish a message that one function takes and give path and data of what it made or changed."""
    (only,) = new_documents(graph, topic, data).items()
    return only


def an_old_promise_is_kept(graph: Graph) -> None:
    """A tick has market_scan publish what it had promised before it died; order_placement voids it, in one trace."""
    late = signal(1, age=timedelta(hours=1))
    row = promise("market_scan", "signals", late.signal_id, pack(EnterPosition(signal=late)))
    graph.store.commit([create(f"signals/{late.signal_id}", late), row])
    graph.publish("scan-ticks", ScanTick(), traceparent=PARENT)
    assert decided(graph, late).codes == ("SIGNAL_STALE",)
    eventually(lambda: row.path not in graph.documents("outbox"), "the row is gone")
    lines = [line for line in graph.functions["order_placement"].lines("order") if line["intent_id"] == intent_of(late)]
    traces = {line["logging.googleapis.com/trace"] for line in lines}
    assert traces == {f"projects/{graph.project}/traces/{TRACE}"}
    if is_open(datetime.now(UTC)):  # then the tick is a minute's scan too, which ends without a token
        eventually(lambda: graph.documents("receipts") != {}, "the minute's receipt")


def a_signal_without_a_login_is_voided(graph: Graph) -> None:
    """A fresh signal ends VOIDED because there is no access token, and nothing of it is left to be done."""
    fresh = signal(2)
    graph.store.commit([create(f"signals/{fresh.signal_id}", fresh)])
    graph.publish("signals", EnterPosition(signal=fresh))
    assert decided(graph, fresh).codes == ("TOKEN_DEAD",)
    assert graph.documents("locks", "positions", "broker_orders", "ledger") == {}


def a_forged_signal_is_refused(graph: Graph) -> None:
    """A signal that the scan did not write becomes a dead letter and no order."""
    forged = signal(3)
    _, letter = one_new_document(graph, "signals", pack(EnterPosition(signal=forged)))
    assert (letter["function"], letter["reason"]) == ("order_placement", "Malformed")
    assert forged.signal_id in letter["detail"]


def a_secret_out_of_reach_loses_no_tick(graph: Graph) -> None:
    """While secrets cannot be read, token_refresh's tick is to come again, nothing changes, and its trace says why."""
    now, process = datetime.now(UTC), graph.functions["token_refresh"]
    asleep = TokenRecord(
        vault_version="1", issued_at=now - timedelta(hours=1), renewed_at=now - timedelta(hours=1),
        dies_at=now + timedelta(hours=1),
    )  # fmt: skip
    push = push_of(pack(RefreshTick()))
    push["message"]["attributes"] = {"traceparent": PARENT}
    for held in ([], [create(token.PATH, asleep)]):
        graph.store.commit(held)
        before = graph.documents()
        assert process.request("POST", "/", push) == 503
        assert graph.new_documents(before, *(set(BUT_NOTICES) - {"token"})) == {}
        line = process.lines("cannot_work")[-1]
        assert "no Google login was found for Secret Manager" in line["detail"]
        assert line["logging.googleapis.com/trace"] == f"projects/{graph.project}/traces/{TRACE}"
    graph.store.commit([Delete(token.PATH)])


def the_close_is_sealed(graph: Graph) -> None:
    """A close tick seals today's chains after the close, says so before it, and does nothing on a day of rest."""
    session, process = session_at(datetime.now(UTC)), graph.functions["order_settlement"]
    early = session is not None and datetime.now(UTC) < session.closes_at
    days = [] if session is None or early else [session.day.isoformat()]
    if session is not None:  # the account is known, as it is when the market was open: the broker need not be asked
        graph.store.commit([put("account/main", AccountRecord(key="account-key", mode="CASH", session=session.day))])
    graph.publish("close-ticks", CloseTick())
    eventually(lambda: set(graph.documents("seals")) == {f"seals/{day}" for day in days}, "the seal")
    eventually(lambda: bool(process.lines("close_too_early")) or not early, "the line of a tick that came too early")
    assert process.request("POST", "/", push_of(pack(CloseTick()))) == 204
    assert [data["session"] for data in graph.documents("seals").values()] == days


def the_start_page_is_honest(graph: Graph) -> None:
    """oauth_callback is well, shows its page, and for who brings no link it signs nobody in and publishes nothing."""
    process = graph.functions["oauth_callback"]
    row = promise("oauth_callback", "prepare-ticks", "signed-in:1", pack(PrepareTick(reason="signed-in")))
    graph.store.commit([row])
    assert process.request("GET", "/health") == 200
    status, page = process.ask("GET", "/start")
    assert (status, 'action="/start"' in page) == (200, True)
    status, page = process.ask("POST", "/start")
    assert (status, re.findall("<h1>(.*?)</h1>", page)) == (400, ["Not signed in"])
    assert "href" not in page
    assert (row.path in graph.documents("outbox"), graph.documents("flows")) == (True, {})
    graph.store.commit([Delete(row.path)])


def a_message_of_tomorrow_is_set_aside(graph: Graph) -> None:
    """On every subscription of the graph, a message of a newer schema version becomes one dead letter there."""
    for topic in sorted({each.topic for one in TOPOLOGY.functions for each in one.subscriptions}):
        letters = new_documents(graph, topic, versioned(2))
        assert {(path.partition(":")[0], one["function"], one["reason"]) for path, one in letters.items()} == {
            (f"dead_letters/{name}", name, "UnknownVersion") for name in takers(topic)
        }


def nobody_stumbled(graph: Graph) -> None:
    """After a letter and all that every notice is on its way, but what notify owes, which waits; none has crashed."""
    one_new_document(graph, "signals", versioned(2))  # this may be the only errand of a graph

    def posted() -> bool:
        graph.functions["token_refresh"].request("POST", "/", push_of(pack(RefreshTick())))
        return {row["owner"] for row in graph.documents("outbox").values()} <= {"notify"}

    eventually(posted, "every notice published, by whoever may")
    eventually(lambda: graph.functions["notify"].lines("cannot_work") != [], "that notify has no addresses to read")
    for process in graph.functions.values():
        assert process.process.poll() is None
        for event in ("crash", "invariant_broken", "undeclared_access", "not_halted"):
            assert process.lines(event) == []
        assert "Traceback" not in process.log.read_text(encoding="utf-8")


ERRANDS: tuple[Errand, ...] = (
    an_old_promise_is_kept, a_signal_without_a_login_is_voided, a_forged_signal_is_refused,
    a_secret_out_of_reach_loses_no_tick, the_close_is_sealed, the_start_page_is_honest,
    a_message_of_tomorrow_is_set_aside, nobody_stumbled,
)  # fmt: skip
