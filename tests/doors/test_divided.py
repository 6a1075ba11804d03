"""Each document lies in its trust domain, and no commit spans two of them."""

from collections.abc import Callable

import pytest

from infra.local.memory_store import MemoryStore
from shared import divided
from shared.errors import InvariantBroken
from shared.ports import Check, Create, Delete, Put, Store, Update, Where, Write
from shared.stored import Domain
from shared.topology import TOPOLOGY, Right

BOOK, SIGN_IN, NOTICES = "positions/AIG", "token/main", "paces/fill"


def _stores() -> dict[Domain, MemoryStore]:
    return {domain: MemoryStore() for domain in Domain}


def _kept(stores: dict[Domain, MemoryStore]) -> dict[Domain, list[str]]:
    """Give the paths that each store holds."""
    names = TOPOLOGY.collections
    return {
        domain: [one.path for name in sorted(names) for one in store.query(name)] for domain, store in stores.items()
    }  # fmt: skip


@pytest.mark.parametrize(
    "second",
    [
        lambda path, version: Create(path, {}), lambda path, version: Put(path, {}), lambda path, version: Delete(path),
        Check, lambda path, version: Update(path, {"a": 2}, version),
    ],
    ids=["create", "put", "delete", "check", "update"],
)  # fmt: skip
def test_a_commit_over_two_domains_is_refused_before_anything_is_sent(second: Callable[[str, str], Write]) -> None:
    """Whatever it writes or checks in the second domain, it is our bug, and neither database is touched."""
    stores = _stores()
    (version,) = stores[Domain.SIGN_IN].commit([Create(SIGN_IN, {"a": 1})])
    before = _kept(stores)
    store = divided.of_owner(stores, TOPOLOGY)
    with pytest.raises(InvariantBroken, match="a commit spans book and sign-in"):
        store.commit([Put(BOOK, {}), second(SIGN_IN, version)])
    assert _kept(stores) == before


def test_one_file_for_all_domains_takes_no_such_commit_either() -> None:
    """On one machine, where one file stands for every domain, the same commit is refused."""
    file = MemoryStore()
    with pytest.raises(InvariantBroken, match="spans"):
        divided.of_owner(divided.one_for_all(file), TOPOLOGY).commit([Put(BOOK, {}), Put(NOTICES, {})])
    assert file.get(BOOK) is None


def test_what_a_function_leaves_behind_lies_in_its_home() -> None:
    """Outbox rows and dead letters go to the database of the function that wrote them; the owner's go to the book."""
    stores = _stores()
    store = divided.of_owner(stores, TOPOLOGY)
    for function in TOPOLOGY.functions:
        store.commit([Create(f"outbox/{function.name}:1", {"n": 1}), Create(f"dead_letters/{function.name}:1", {})])
        kept = _kept({function.home: stores[function.home]})[function.home]
        assert {f"outbox/{function.name}:1", f"dead_letters/{function.name}:1"} <= set(kept)
    store.commit([Create("outbox/owner:1", {"n": 2})])
    assert stores[Domain.BOOK].get("outbox/owner:1") is not None
    everything = [f"outbox/{one.name}:1" for one in TOPOLOGY.functions]
    assert [one.path for one in store.query("outbox", Where("n", "==", 1))] == sorted(everything)


@pytest.mark.parametrize("shared_file", [False, True], ids=["databases", "one file"])
def test_a_function_is_given_what_lies_in_its_home(shared_file: bool) -> None:
    """A query of the outbox gives a function the rows of its home, whether or not one file holds all of them."""
    stores: dict[Domain, Store] = dict(_stores())
    if shared_file:
        stores = dict(divided.one_for_all(MemoryStore()))
    everybody = divided.of_owner(stores, TOPOLOGY)
    for function in TOPOLOGY.functions:
        everybody.commit([Create(f"outbox/{function.name}:1", {})])
    for function in TOPOLOGY.functions:
        found = divided.of_function(stores, TOPOLOGY, function).query("outbox")
        neighbours = [f"outbox/{one.name}:1" for one in TOPOLOGY.functions if one.home is function.home]
        assert [one.path for one in found] == sorted(neighbours)


def test_what_is_not_declared_lies_nowhere() -> None:
    """A collection that the topology does not have, and a domain that is not at hand, are our bugs."""
    store = divided.DividedStore({}, TOPOLOGY, homes=())
    for ask in (lambda: store.get("elsewhere/1"), lambda: store.query("elsewhere"), lambda: store.get(BOOK)):
        with pytest.raises(InvariantBroken):
            ask()


def test_nobody_but_the_owner_writes_what_the_owner_said() -> None:
    """No function holds more than the right to read in the owner's domain, and the owner's is nobody's home."""
    said = [name for name, one in TOPOLOGY.collections.items() if one.domain is Domain.OWNER]
    for function in TOPOLOGY.functions:
        assert function.home is not Domain.OWNER
        assert {function.collections.get(name, Right.READ) for name in said} <= {Right.READ}


def test_a_function_writes_in_its_home_alone() -> None:
    """Every right of a function to create, change or delete is on a collection of its home."""
    for function in TOPOLOGY.functions:
        writes = {name for name, rights in function.collections.items() if rights is not Right.READ}
        assert {TOPOLOGY.collections[name].domain or function.home for name in writes} == {function.home}
