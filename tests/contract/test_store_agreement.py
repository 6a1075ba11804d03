"""All stores answer alike, whatever they are asked."""

from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.one_machine.memory_store import MemoryStore
from infra.one_machine.sqlite_store import SqliteStore
from shared.errors import Conflict
from shared.ports import Check, Create, Data, Delete, Put, Store, Update, Where, Write
from tests.contract.clouds import new_project, open_firestore

_PATHS = ("a/1", "a/2", "a/z:9", "a/é", "ab/1")
_TEXTS = st.sampled_from(["", "a", "A", "b", "aa", "é", "1", "\U0001f600", "\uffff", "a\u0000b", "'"]) | st.text(
    max_size=3
)
_NUMBERS = st.integers(-2, 2) | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**53, 2**53 + 1, 2**63 - 1])
_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), _NUMBERS, _TEXTS, st.floats(-3, 3, width=16), st.just([1]), st.just({"x": 1})
)
_DATA: st.SearchStrategy[Data] = st.dictionaries(st.sampled_from(["n", "m"]), _VALUES)
_WHERE = st.builds(
    Where,
    st.sampled_from(["n", "m"]),
    st.sampled_from(["==", "<", "<=", ">", ">="]),
    st.booleans() | _NUMBERS | _TEXTS,
)
_STEPS = st.tuples(
    st.sampled_from(["create", "update", "stale", "check", "put", "delete"]), st.sampled_from(_PATHS), _DATA
)


def _write(store: Store, kind: str, path: str, data: Data) -> Write:
    document = store.get(path)
    version = "0" if document is None else document.version
    match kind:
        case "create":
            return Create(path, data)
        case "update":
            return Update(path, data, version)
        case "stale":
            return Update(path, data, version + "0")
        case "check":
            return Check(path, version)
        case "put":
            return Put(path, data)
        case _:
            return Delete(path)


def _commit(store: Store, steps: list[tuple[str, str, Data]]) -> bool:
    try:
        store.commit([_write(store, *step) for step in steps])
    except Conflict:
        return False
    return True


_CASES: dict[str, st.SearchStrategy[Any]] = {
    "commits": st.lists(st.lists(_STEPS, max_size=3, unique_by=lambda step: step[1]), max_size=6),
    "where": st.lists(_WHERE, max_size=2),
    "order_by": st.none() | st.sampled_from(["n", "m"]),
    "limit": st.none() | st.integers(0, 3),
}
_Commits = list[list[tuple[str, str, Data]]]


def _answers(
    store: Store, commits: _Commits, where: list[Where], order_by: str | None, limit: int | None
) -> tuple[list[bool], list[tuple[str, str] | None]]:
    """Tell which commits a store took, and what it then finds and holds."""
    taken = [_commit(store, steps) for steps in commits]
    found = store.query("a", *where, order_by=order_by, limit=limit)
    everything = [store.get(path) for path in _PATHS]
    return taken, [None if one is None else (one.path, repr(one.data)) for one in (*found, *everything)]


@settings(max_examples=150, deadline=None)
@given(**_CASES)
def test_files_agree_with_memory(
    commits: _Commits, where: list[Where], order_by: str | None, limit: int | None
) -> None:
    """After the same commits, a file and memory have taken the same of them and answer every query alike."""
    with closing(SqliteStore(None)) as store:
        asked = (commits, where, order_by, limit)
        assert _answers(store, *asked) == _answers(MemoryStore(), *asked)


@pytest.mark.usefixtures("emulators")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(**_CASES)
def test_firestore_agrees_with_memory(
    commits: _Commits, where: list[Where], order_by: str | None, limit: int | None
) -> None:
    """After the same commits, Firestore and memory have taken the same of them and answer every query alike."""
    with open_firestore(new_project()) as store:
        asked = (commits, where, order_by, limit)
        assert _answers(store, *asked) == _answers(MemoryStore(), *asked)


@pytest.mark.usefixtures("emulators")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_DATA, max_size=4), where=st.lists(_WHERE, min_size=1, max_size=3))
def test_firestore_finds_what_memory_finds(rows: list[Data], where: list[Where]) -> None:
    """Whatever documents hold and conditions ask, Firestore finds the documents that memory finds."""
    writes = [Put(f"a/{place}", row) for place, row in enumerate(rows)]
    memory = MemoryStore()
    memory.commit(writes)
    with open_firestore(new_project()) as store:
        store.commit(writes)
        assert [one.path for one in store.query("a", *where)] == [one.path for one in memory.query("a", *where)]
