"""Rights: exactly what the topology declares passes, for every function, and everything else is refused aloud."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from shared.errors import InvariantBroken, PermissionDenied
from shared.guard import Guard, GuardedBus, GuardedStore, GuardedVault
from shared.ports import Check, Create, Delete, Put, Store, Update, Where
from shared.stored import Domain
from shared.topology import ACCESS_TOKEN, RW, TOPOLOGY, Function, Right
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


def _astray(name: str, open_as: Callable[[Hands, Function], Store]) -> list[str]:
    """Touch each collection in each way, and name what passes without a right or is refused with one."""
    function, hands = TOPOLOGY.function(name), Hands()
    store, found = open_as(hands, function), list[str]()
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
        found += [collection for allowed, act in acts if _passes(hands.journal, act) is not allowed]
    return found


def _guarded(hands: Hands, function: Function) -> Store:
    return GuardedStore(hands.store, Guard(function, hands.journal))


def _with_all_rights(hands: Hands, function: Function) -> Store:
    """Seeded mistake: whoever is in the process may touch every document."""
    rights = dict.fromkeys([*TOPOLOGY.collections, FOREIGN], RW)
    return GuardedStore(hands.store, Guard(replace(function, collections=rights), hands.journal))


@pytest.mark.parametrize("name", NAMES)
def test_collections_are_as_declared(name: str) -> None:
    """Each way to touch a collection passes exactly where the topology gives its right."""
    assert _astray(name, _guarded) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_store_that_lets_everybody_everywhere_is_found(name: str) -> None:
    """Without rights of its own a function reaches documents of others, of the owner's word too, and that is seen."""
    assert {"control", FOREIGN} <= set(_astray(name, _with_all_rights))


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


def _open_to(function: Function) -> list[str]:
    """Try everything with the trading token, and name what passes."""
    hands = Hands()
    hands.vault.add(ACCESS_TOKEN, b"x")
    vault = GuardedVault(hands.vault, Guard(function, hands.journal))
    acts: dict[str, Callable[[], object]] = {
        "add": partial(vault.add, ACCESS_TOKEN, b"y"), "read": partial(vault.read, ACCESS_TOKEN, "1"),
        "list": partial(vault.versions, ACCESS_TOKEN), "destroy": partial(vault.destroy, ACCESS_TOKEN, "1"),
    }  # fmt: skip
    return [name for name, act in acts.items() if _passes(hands.journal, act)]


def test_the_page_that_anybody_may_open_only_adds_tokens() -> None:
    """oauth_callback adds a version of the trading token, and cannot read, list or destroy one."""
    assert _open_to(TOPOLOGY.function("oauth_callback")) == ["add"]


@pytest.mark.parametrize(
    ("rights", "opened"),
    [(Right.READ | Right.CREATE, ["add", "read", "list"]), (Right.CREATE | Right.WRITE, ["add", "destroy"])],
)
def test_a_page_that_may_do_more_with_tokens_is_found(rights: Right, opened: list[str]) -> None:
    """A page that could read the day's token, as it once could, or end it, is seen to."""
    page = TOPOLOGY.function("oauth_callback")
    assert _open_to(replace(page, secrets={**page.secrets, ACCESS_TOKEN: rights})) == opened


def test_a_guard_without_rights_lets_nothing_through() -> None:
    """A function that declares nothing can do nothing."""
    guard = Guard(Function(name="nobody", purpose="", home=Domain.BOOK), Lines())
    with pytest.raises(PermissionDenied, match="nobody has no right to READ on collection orders"):
        guard.collection("orders/1", Right.READ)
    with pytest.raises(PermissionDenied, match="nobody has no right to publish to topic exits"):
        guard.topic("exits")
    with pytest.raises(PermissionDenied, match="nobody has no right to READ on secret etrade-consumer"):
        guard.secret("etrade-consumer", Right.READ)
