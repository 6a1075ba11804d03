"""Each document lies in its trust domain, and no commit spans two of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from infra.one_machine.memory_store import MemoryStore
from shared import divided
from shared.errors import InvariantBroken
from shared.ports import Check, Create, Delete, Put, Store, Update, Where, Write
from shared.stored import Domain
from shared.topology import RW, TOPOLOGY, Function, Right, Topology

Second = Callable[[str, str], Write]
BOOK, SIGN_IN, NOTICES = "positions/AIG", "token/main", "paces/fill"


def _stores() -> dict[Domain, MemoryStore]:
    return {domain: MemoryStore() for domain in Domain}


def _kept(stores: dict[Domain, MemoryStore]) -> dict[Domain, list[str]]:
    """Give the paths that each store holds."""
    names = TOPOLOGY.collections
    return {
        domain: [one.path for name in sorted(names) for one in store.query(name)] for domain, store in stores.items()
    }  # fmt: skip


class Splitting(divided.DividedStore):
    """Seeded mistake: each database is sent its part of a commit, as if two commits were one."""

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Apply each write where it lies."""
        return tuple(self._store(self._domain(one.path)).commit([one])[0] for one in writes)


SECOND: dict[str, Second] = {
    "create": lambda path, version: Create(f"{path}-2", {}), "put": lambda path, version: Put(path, {}),
    "delete": lambda path, version: Delete(path), "check": Check,
    "update": lambda path, version: Update(path, {"a": 2}, version),
}  # fmt: skip


def _spanning(kind: type[divided.DividedStore], second: Second) -> tuple[str, bool]:
    """Commit in two domains, and give what was said against it and whether either database was touched."""
    stores, said = _stores(), ""
    (version,) = stores[Domain.SIGN_IN].commit([Create(SIGN_IN, {"a": 1})])
    before = _kept(stores)
    try:
        kind(stores, TOPOLOGY, homes=TOPOLOGY.homes()).commit([Put(BOOK, {}), second(SIGN_IN, version)])
    except InvariantBroken as problem:
        said = problem.detail.partition(":")[0]
    return said, _kept(stores) != before


@pytest.mark.parametrize("second", SECOND.values(), ids=SECOND)
def test_a_commit_over_two_domains_is_refused_before_anything_is_sent(second: Second) -> None:
    """Whatever it writes or checks in the second domain, it is our bug, and neither database is touched."""
    assert _spanning(divided.DividedStore, second) == ("a commit spans book and sign-in", False)


@pytest.mark.parametrize("second", SECOND.values(), ids=SECOND)
def test_a_store_that_sends_each_domain_its_part_is_found(second: Second) -> None:
    """A store without that refusal takes each of these commits and writes."""
    assert _spanning(Splitting, second) == ("", True)


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


Opening = Callable[[Mapping[Domain, Store], Topology, Function], Store]


def _foreign_rows(stores: Mapping[Domain, Store], opened: Opening) -> dict[str, list[str]]:
    """Write an outbox row for each function, and give those that a function finds and that are not of its home."""
    for function in TOPOLOGY.functions:
        divided.of_owner(stores, TOPOLOGY).commit([Create(f"outbox/{function.name}:1", {})])
    foreign = {}
    for function in TOPOLOGY.functions:
        found = {one.path for one in opened(stores, TOPOLOGY, function).query("outbox")}
        neighbours = {f"outbox/{one.name}:1" for one in TOPOLOGY.functions if one.home is function.home}
        assert neighbours <= found
        foreign[function.name] = sorted(found - neighbours)
    return foreign


@pytest.mark.parametrize("shared_file", [False, True], ids=["databases", "one file"])
def test_a_function_is_given_what_lies_in_its_home(shared_file: bool) -> None:
    """A query of the outbox gives a function the rows of its home, whether or not one file holds all of them."""
    stores = divided.one_for_all(MemoryStore()) if shared_file else _stores()
    assert not any(_foreign_rows(stores, divided.of_function).values())


def test_one_outbox_for_all_is_found() -> None:
    """A function that is given the rows of all, as it once was, publishes what another one wrote, and that is seen."""
    assert all(_foreign_rows(_stores(), lambda stores, topology, _: divided.of_owner(stores, topology)).values())


def test_what_is_not_declared_lies_nowhere() -> None:
    """A collection that the topology does not have, and a domain that is not at hand, are our bugs."""
    store = divided.DividedStore({}, TOPOLOGY, homes=())
    for ask in (lambda: store.get("elsewhere/1"), lambda: store.query("elsewhere"), lambda: store.get(BOOK)):
        with pytest.raises(InvariantBroken):
            ask()


def _strays(topology: Topology) -> list[str]:
    """Name every right to create, change or delete outside of a function's home, and whoever is at home at the owner's.

    So nobody but the owner's commands writes what the owner said.
    """
    found = [f"{one.name} is at home with the owner" for one in topology.functions if one.home is Domain.OWNER]
    for function in topology.functions:
        for name, rights in function.collections.items():
            domain = topology.collections[name].domain or function.home
            if rights is not Right.READ and domain is not function.home:
                found.append(f"{function.name} writes {name} of {domain}")
    return found


def _but(name: str, change: Callable[[Function], Function]) -> Topology:
    """Give the topology with one function changed."""
    functions = tuple(change(one) if one.name == name else one for one in TOPOLOGY.functions)
    return replace(TOPOLOGY, functions=functions)


def _writing(collection: str) -> Callable[[Function], Function]:
    return lambda one: replace(one, collections={**one.collections, collection: RW})


def test_a_function_writes_in_its_home_alone() -> None:
    """Every right to create, change or delete is on a collection of its function's home, and none is the owner's."""
    assert _strays(TOPOLOGY) == []


@pytest.mark.parametrize(
    ("topology", "found"),
    [
        (_but("notify", _writing("control")), "notify writes control of owner"),
        (_but("order_settlement", _writing("pins")), "order_settlement writes pins of owner"),
        (_but("oauth_callback", _writing("orders")), "oauth_callback writes orders of book"),
        (_but("market_scan", _writing("token")), "market_scan writes token of sign-in"),
        (_but("notify", lambda one: replace(one, home=Domain.OWNER)), "notify is at home with the owner"),
    ],
)
def test_a_right_to_write_elsewhere_is_found(topology: Topology, found: str) -> None:
    """Rights as every function once had them are named, one by one."""
    assert found in _strays(topology)
