"""All stores answer alike, whatever they are asked."""

from contextlib import ExitStack
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.memory_store import MemoryStore
from infra.local.sqlite_store import SqliteStore
from shared.errors import Conflict
from shared.ports import Check, Create, Data, Delete, Put, Store, Update, Where, Write

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


@settings(max_examples=150, deadline=None)
@given(
    commits=st.lists(st.lists(_STEPS, max_size=3, unique_by=lambda step: step[1]), max_size=6),
    where=st.lists(_WHERE, max_size=2),
    order_by=st.none() | st.sampled_from(["n", "m"]),
    limit=st.none() | st.integers(0, 3),
)
def test_all_stores_agree(
    commits: list[list[tuple[str, str, Data]]], where: list[Where], order_by: str | None, limit: int | None
) -> None:
    """After the same commits, all stores have taken the same of them and answer every query alike."""
    with ExitStack() as closing:
        answers = []
        sqlite = SqliteStore(None)
        closing.callback(sqlite.close)
        for store in (MemoryStore(), sqlite):
            taken = [_commit(store, steps) for steps in commits]
            found = store.query("a", *where, order_by=order_by, limit=limit)
            everything = [store.get(path) for path in _PATHS]
            plain = [None if one is None else (one.path, repr(one.data)) for one in (*found, *everything)]
            answers.append((taken, plain))
        assert all(answer == answers[0] for answer in answers)
