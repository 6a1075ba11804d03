"""What every Store promises."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from shared.errors import Conflict, InvariantBroken
from shared.ports import Check, Create, Data, Delete, Put, Store, Update, Where, Write


def _version(store: Store, path: str) -> str:
    document = store.get(path)
    assert document is not None
    return document.version


def _data(store: Store, path: str) -> Data | None:
    document = store.get(path)
    return None if document is None else document.data


def test_what_was_written_is_read(store: Store) -> None:
    """A document comes back as it was written, whatever plain JSON it holds."""
    data: Data = {
        "text": "ä\u0000\n'\"",
        "n": -(2**62),
        "yes": True,
        "no": None,
        "deep": {"list": [1, ["x"], {}]},
    }
    store.commit([Create("orders/a:b.c d", data)])
    assert _data(store, "orders/a:b.c d") == data
    assert store.get("orders/other") is None


def test_a_document_is_created_once(store: Store) -> None:
    """Creating a document that exists is a Conflict and leaves the first one."""
    store.commit([Create("orders/1", {"n": 1})])
    with pytest.raises(Conflict):
        store.commit([Create("orders/1", {"n": 2})])
    assert _data(store, "orders/1") == {"n": 1}


def test_an_update_needs_the_version_that_was_read(store: Store) -> None:
    """An update with a version that is no longer current, or of a document that is gone, is a Conflict."""
    store.commit([Create("orders/1", {"n": 1})])
    first = _version(store, "orders/1")
    store.commit([Update("orders/1", {"n": 2}, first)])
    with pytest.raises(Conflict):
        store.commit([Update("orders/1", {"n": 3}, first)])
    assert _data(store, "orders/1") == {"n": 2}
    for version in ("", "x", "1.0", "-1"):
        with pytest.raises(Conflict):
            store.commit([Update("orders/1", {"n": 3}, version)])
    with pytest.raises(Conflict):
        store.commit([Update("orders/none", {"n": 3}, first)])


def test_every_write_changes_the_version(store: Store) -> None:
    """No version is ever given twice to a path, not even for equal data or after a deletion."""
    seen = []
    for _ in range(3):
        store.commit([Put("control/main", {"n": 1})])
        seen.append(_version(store, "control/main"))
        store.commit([Update("control/main", {"n": 1}, seen[-1])])
        seen.append(_version(store, "control/main"))
        store.commit([Delete("control/main")])
    assert len(set(seen)) == 6


def test_a_commit_is_all_or_nothing(store: Store) -> None:
    """When the last write of a commit fails, none of the others has happened."""
    store.commit([Create("a/kept", {"n": 1}), Create("a/gone", {"n": 1})])
    before = _version(store, "a/kept")
    writes: list[Write] = [
        Put("a/kept", {"n": 2}),
        Delete("a/gone"),
        Create("a/new", {"n": 1}),
        Put("b/new", {"n": 1}),
        Update("a/missing", {"n": 1}, "1"),
    ]
    with pytest.raises(Conflict):
        store.commit(writes)
    assert (_data(store, "a/kept"), _version(store, "a/kept")) == ({"n": 1}, before)
    assert _data(store, "a/gone") == {"n": 1}
    assert _data(store, "a/new") is None
    assert _data(store, "b/new") is None


def test_a_check_holds_a_document_without_writing_it(store: Store) -> None:
    """A checked document keeps its data and its version, and a commit fails once it has changed or gone."""
    store.commit([Create("control/main", {"state": "ACTIVE"})])
    held = _version(store, "control/main")
    store.commit([Check("control/main", held), Create("orders/1", {"n": 1})])
    assert _version(store, "control/main") == held
    store.commit([Update("control/main", {"state": "HALTED"}, held)])
    with pytest.raises(Conflict):
        store.commit([Check("control/main", held), Create("orders/2", {"n": 1})])
    store.commit([Delete("control/main")])
    with pytest.raises(Conflict):
        store.commit([Check("control/main", held), Create("orders/2", {"n": 1})])
    assert _data(store, "orders/2") is None


def test_a_commit_gives_the_new_versions(store: Store) -> None:
    """The versions that a commit gives are those that its documents have, in the order of its writes."""
    first, second = store.commit([Create("a/1", {"n": 1}), Create("a/2", {"n": 1})])
    assert (first, second) == (_version(store, "a/1"), _version(store, "a/2"))
    given = store.commit([Delete("a/1"), Check("a/2", second), Put("a/3", {}), Create("a/4", {})])
    assert given == ("", second, _version(store, "a/3"), _version(store, "a/4"))
    (third,) = store.commit([Update("a/2", {"n": 1}, second)])
    assert third == _version(store, "a/2") != second
    assert store.commit([]) == ()


def test_delete_and_put_need_nothing(store: Store) -> None:
    """Deleting what is not there is no error, and a put writes over whatever is there."""
    store.commit([Delete("a/1")])
    store.commit([Put("a/1", {"n": 1})])
    store.commit([Put("a/1", {"m": 2})])
    assert _data(store, "a/1") == {"m": 2}
    store.commit([])


def test_a_reader_cannot_change_what_is_stored(store: Store) -> None:
    """Changing the data that was written or read changes no document."""
    data: Data = {"list": [1]}
    store.commit([Create("a/1", data)])
    data["list"].append(2)
    read = store.get("a/1")
    assert read is not None
    read.data["list"].append(3)
    store.query("a")[0].data["list"].append(4)
    assert _data(store, "a/1") == {"list": [1]}


@pytest.mark.parametrize(
    "path", ["", "a", "a/", "/a", "a/b/c", "a/.", "a/..", "a/__x__", "a/\n", "1/a", "a b/c", "a/" + 401 * "x"]
)
def test_a_bad_path_is_refused(store: Store, path: str) -> None:
    """A path that some store could not hold is refused by all, for reading and for writing."""
    with pytest.raises(InvariantBroken):
        store.get(path)
    with pytest.raises(InvariantBroken):
        store.commit([Put(path, {})])


@pytest.mark.parametrize(
    "data",
    [
        {"x": Decimal(1)},
        {"x": float("nan")},
        {1: "x"},
        {"x": (1, 2)},
        {"x": b"x"},
        {"x": object()},
        ["x"],
    ],
)
def test_data_that_json_would_change_is_refused(store: Store, data: Data) -> None:
    """Data that would not be read as it was written is refused before anything is applied."""
    with pytest.raises(InvariantBroken):
        store.commit([Put("a/fine", {}), Put("a/1", data)])
    assert store.query("a") == []


def test_misuse_is_refused(store: Store) -> None:
    """Two writes of one document, unknown operators, strange fields and huge documents are our own bugs."""
    with pytest.raises(InvariantBroken):
        store.commit([Put("a/1", {}), Delete("a/1")])
    with pytest.raises(InvariantBroken):
        store.query("a", Where("n", "!=", 1))
    with pytest.raises(InvariantBroken):
        store.query("a", order_by="n'; --")
    with pytest.raises(InvariantBroken):
        store.query("a/b")
    with pytest.raises(InvariantBroken):
        store.query("a", limit=-1)
    with pytest.raises(InvariantBroken):
        store.commit([Put("a/1", {"x": "x" * 1_000_001})])


def test_a_query_filters_orders_and_cuts(store: Store) -> None:
    """A query gives the matching documents of its collection alone, in its order, up to its limit."""
    store.commit([Put(f"orders/{n}", {"n": 10 - n, "state": "WORKING" if n % 2 else "FILLED"}) for n in range(10)])
    store.commit([Put("ordersx/1", {"n": 1}), Put("order/1", {"n": 1}), Put("orders/none", {"state": "NEW"})])
    working = store.query("orders", Where("state", "==", "WORKING"), order_by="n", limit=2)
    assert [one.path for one in working] == ["orders/9", "orders/7"]
    assert [one.path for one in store.query("orders", Where("n", ">=", 9))] == ["orders/0", "orders/1"]
    assert len(store.query("orders")) == 11
    assert len(store.query("orders", order_by="n")) == 10
    assert [one.path for one in store.query("orders", order_by="n", limit=2)] == ["orders/9", "orders/8"]
    assert [one.path for one in store.query("orders", Where("n", "<", 4), limit=2)] == ["orders/7", "orders/8"]
    assert [one.path for one in store.query("orders", Where("n", "<", 4), Where("n", ">", 1), limit=1)] == ["orders/7"]
    assert store.query("orders", limit=0) == []
    assert [one.path for one in store.query("orders", limit=1)] == ["orders/0"]


def test_long_and_large_values_compare_to_the_last_digit(store: Store) -> None:
    """Texts that differ after a thousand characters and numbers beyond 53 bits are told apart."""
    long = "ä" * 1_000
    store.commit([Put("a/1", {"t": long, "n": 2**53}), Put("a/2", {"t": f"{long}b", "n": 2**53 + 1})])
    assert [one.path for one in store.query("a", Where("t", "==", long))] == ["a/1"]
    assert [one.path for one in store.query("a", Where("t", ">", long))] == ["a/2"]
    assert [one.path for one in store.query("a", Where("n", "<", 2**53 + 1))] == ["a/1"]
    assert [one.path for one in store.query("a", Where("n", "==", 2**53 + 1))] == ["a/2"]


def test_a_document_may_be_large(store: Store) -> None:
    """A document of almost a million bytes is kept and found, also when one text makes it so."""
    store.commit([Put("a/1", {"x": "x" * 990_000, "n": 1}), Put("a/2", {"x": [["y" * 99] * 9_000], "n": 2})])
    assert [len(one.data["x"]) for one in store.query("a", order_by="n")] == [990_000, 1]


def test_only_one_kind_of_value_compares(store: Store) -> None:
    """A number, a text and a truth never match each other, and an absent or null field matches nothing."""
    values: list[object] = [0, 1, "1", True, False, None, [1], {"x": 1}, 1.5]
    store.commit([Put(f"a/{place}", {"v": value}) for place, value in enumerate(values)])
    store.commit([Put("a/absent", {})])

    def found(op: str, value: str | int | bool) -> list[object]:
        return [one.data["v"] for one in store.query("a", Where("v", op, value))]

    assert found("==", 1) == [1]
    assert found(">=", 0) == [0, 1, 1.5]
    assert found("<=", "2") == ["1"]
    truths = found("<=", True)
    assert truths == [True, False]
    assert all(isinstance(one, bool) for one in truths)


def _race(parties: int, act: Callable[[int], bool]) -> int:
    with ThreadPoolExecutor(parties) as pool:
        return sum(pool.map(act, range(parties)))


def test_of_racing_creations_one_wins(store: Store) -> None:
    """Of sixty-four threads that create one document at once, exactly one succeeds."""

    def create(party: int) -> bool:
        try:
            store.commit([Create("orders/1", {"party": party}), Put(f"seen/{party}", {})])
        except Conflict:
            return False
        return True

    assert _race(64, create) == 1
    data = _data(store, "orders/1")
    assert data is not None
    assert [one.path for one in store.query("seen")] == [f"seen/{data['party']}"]


def test_no_compare_and_set_is_lost(store: Store) -> None:
    """Eight threads that count up one document fifty times each by compare-and-set end at the sum of all."""
    store.commit([Create("ledger/1", {"n": 0})])

    def count_up(_: int) -> bool:
        for _ in range(50):
            while True:
                document = store.get("ledger/1")
                assert document is not None
                try:
                    store.commit([Update("ledger/1", {"n": document.data["n"] + 1}, document.version)])
                except Conflict:
                    continue
                break
        return True

    _race(8, count_up)
    assert _data(store, "ledger/1") == {"n": 400}
