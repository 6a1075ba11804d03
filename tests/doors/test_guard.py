"""Rights: exactly what the topology declares passes, for every function, and everything else is refused aloud."""

from collections.abc import Callable
from functools import partial

import pytest

from shared.errors import InvariantBroken, PermissionDenied
from shared.guard import Guard, GuardedBus, GuardedStore, GuardedVault
from shared.ports import Check, Create, Delete, Put, Update, Where
from shared.stored import Domain
from shared.topology import ACCESS_TOKEN, TOPOLOGY, Function, Right
from tests.doors.fakes import Hands, Lines

NAMES = [function.name for function in TOPOLOGY.functions]
FOREIGN = "strangers"


def _passes(journal: Lines, act: Callable[[], object]) -> bool:
    """Try something and tell whether it was allowed; a refusal has to be journalled, once, and as our bug."""
    before = journal.events.count("undeclared_access")
    refused: PermissionDenied | None = None
    try:
        act()
    except PermissionDenied as problem:
        refused = problem
    except KeyError:
        pass  # the fake below holds nothing: the guard had let it through
    assert journal.events.count("undeclared_access") == before + (refused is not None)
    if refused is not None:
        assert isinstance(refused, InvariantBroken)
        assert journal.lines[-1]["severity"] == "CRITICAL"
        assert str(journal.lines[-1]["what"]) in refused.detail
    return refused is None


def _held(hands: Hands, path: str) -> str:
    hands.store.commit([Put(path, {})])
    held = hands.store.get(path)
    assert held is not None
    return held.version


@pytest.mark.parametrize("name", NAMES)
def test_collections_are_as_declared(name: str) -> None:
    """Each way to touch a collection passes exactly where the topology gives its right."""
    function, hands = TOPOLOGY.function(name), Hands()
    store = GuardedStore(hands.store, Guard(function, hands.journal))
    for collection in [*TOPOLOGY.collections, FOREIGN]:
        right = function.collections.get(collection, Right(0))
        path = f"{collection}/one"
        read, make, write = Right.READ in right, Right.CREATE in right, Right.WRITE in right
        acts: list[tuple[bool, Callable[[], object]]] = [
            (read, partial(store.get, path)),
            (read, partial(store.query, collection, Where("x", "==", 1))),
            (read, partial(store.commit, [Check(f"{path}-c", _held(hands, f"{path}-c"))])),
            (make, partial(store.commit, [Create(f"{path}-new", {})])),
            (write, partial(store.commit, [Update(f"{path}-u", {}, _held(hands, f"{path}-u"))])),
            (write, partial(store.commit, [Put(path, {})])),
            (write, partial(store.commit, [Delete(path)])),
        ]
        for allowed, act in acts:
            assert _passes(hands.journal, act) is allowed, f"{name} {collection}"


@pytest.mark.parametrize("name", NAMES)
def test_one_forbidden_write_stops_the_whole_commit(name: str) -> None:
    """A commit with one write that is not allowed leaves nothing of the others."""
    hands = Hands()
    store = GuardedStore(hands.store, Guard(TOPOLOGY.function(name), hands.journal))
    with pytest.raises(PermissionDenied):
        store.commit([Create("outbox/one", {}), Create(f"{FOREIGN}/one", {})])
    assert hands.store.query("outbox") == []


@pytest.mark.parametrize("name", NAMES)
def test_topics_are_as_declared(name: str) -> None:
    """A function publishes to its own topics and to no other."""
    function, hands = TOPOLOGY.function(name), Hands()
    bus = GuardedBus(hands.bus, Guard(function, hands.journal))
    for topic in [*TOPOLOGY.topics, FOREIGN]:
        allowed = topic in function.publishes
        assert _passes(hands.journal, partial(bus.publish, topic, b"", attributes={})) is allowed
    assert {sent.topic for sent in hands.bus.sent} == function.publishes


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_as_declared(name: str) -> None:
    """Reading, adding and destroying versions passes exactly where the topology gives the right to it."""
    function, hands = TOPOLOGY.function(name), Hands()
    vault = GuardedVault(hands.vault, Guard(function, hands.journal))
    for secret in [*TOPOLOGY.secrets, FOREIGN]:
        right = function.secrets.get(secret, Right(0))
        hands.vault.add(secret, b"x")
        acts: list[tuple[bool, Callable[[], object]]] = [
            (Right.READ in right, partial(vault.read, secret, "1")),
            (Right.READ in right, partial(vault.versions, secret)),
            (Right.CREATE in right, partial(vault.add, secret, b"y")),
            (Right.WRITE in right, partial(vault.destroy, secret, "1")),
        ]
        for allowed, act in acts:
            assert _passes(hands.journal, act) is allowed, f"{name} {secret}"


def test_the_page_that_anybody_may_open_only_adds_tokens() -> None:
    """oauth_callback adds a version of the trading token, and cannot read, list or destroy one."""
    function, hands = TOPOLOGY.function("oauth_callback"), Hands()
    vault = GuardedVault(hands.vault, Guard(function, hands.journal))
    assert vault.add(ACCESS_TOKEN, b"x") == "1"
    for act in (
        partial(vault.read, ACCESS_TOKEN, "1"),
        partial(vault.versions, ACCESS_TOKEN),
        partial(vault.destroy, ACCESS_TOKEN, "1"),
    ):
        assert not _passes(hands.journal, act)


def test_a_guard_without_rights_lets_nothing_through() -> None:
    """A function that declares nothing can do nothing."""
    guard = Guard(Function(name="nobody", purpose="", home=Domain.BOOK), Lines())
    with pytest.raises(PermissionDenied, match="nobody has no right to READ on collection orders"):
        guard.collection("orders/1", Right.READ)
    with pytest.raises(PermissionDenied, match="nobody has no right to publish to topic exits"):
        guard.topic("exits")
    with pytest.raises(PermissionDenied, match="nobody has no right to READ on secret etrade-consumer"):
        guard.secret("etrade-consumer", Right.READ)
