"""The topology agrees with itself and with the code that it describes."""

import ast
from itertools import chain
from pathlib import Path

import pytest

from infra.archives.closure import follow
from infra.simulated_day.machine import scheduled_body
from shared import topology
from shared.domain.telling.messages import KINDS, NAMES
from shared.topology import (
    ACCESS_TOKEN,
    ALPACA_KEY,
    CONSUMER,
    HALT_KEY,
    NOTIFY_ADDRESSES,
    REQUEST_TOKEN,
    SIGN_IN_KEY,
    TOPOLOGY,
    Function,
    Right,
    Topology,
)  # fmt: skip
from shared.usecases.base.outbox import unpack

ROOT = Path(__file__).resolve().parents[2]
START, NO_LOCK = "functions/{}/main.py", frozenset[str]()
MOST_ACK_S, MOST_ATTEMPTS, ANSWER_S = 600, 100, 15

# Which use cases each function runs; a use case that is in no list would be a path that nobody examined.
# The collections of a path are found in the code, so a new document shows up here as a missing right.
_PARTS: dict[str, set[str]] = {
    "oauth_callback": {
        "authorize", "obtain", "pins", "flows", "links", "refusals", "notices", "token", "outbox", "desk"
    },
    "token_refresh": {"refresh", "renew", "end_day", "leases", "links", "notices", "token", "outbox", "desk"},
    "market_scan": {
        "scan", "scan_memory", "scanned", "hold", "prepare", "leases", "losses", "outbox", "wake", "token", "desk",
        "moves", "trading", "listing", "asking", "minutes", "watches", "books", "warmth", "mornings", "configuration",
        "outages", "voting", "ranking", "record",
    },
    "market_history": {
        "gather", "own_bars", "sources", "books", "warmth", "mornings", "notices", "outbox", "desk", "fallback",
        "ranking",
    },
    "order_placement": {
        "enter", "leave", "send", "cancel", "account", "pins", "control", "fills", "losses", "moves", "last_check",
        "outbox", "wake", "token", "desk", "trading", "appraise", "claims", "listing", "notices",
        "odd_rows", "reads", "refused", "watches", "clock_off", "configuration",
    },
    "order_settlement": {
        "settle", "close", "protect", "resolve", "send", "cancel", "account", "pins", "control", "fills", "losses",
        "moves", "leases", "outbox", "wake", "token", "desk", "trading", "listing", "late", "claims", "notices",
        "watch", "look", "odd_rows", "reads", "cover", "hands", "asks", "reconcile", "refused", "unlisted",
        "doubts", "overdue", "heartbeat", "retried", "minutes", "watches", "clock_off", "last_check", "configuration",
    },
    "notify": {"deliver", "links", "outbox", "desk"},
}  # fmt: skip

_MODULES = {
    path.stem: path.relative_to(ROOT / "shared").with_suffix("").as_posix()
    for path in (ROOT / "shared" / "usecases").glob("*/*.py")
    if path.stem != "__init__"
}
_OWNERS = {"market_data", "bars_stored", "kept"}
"""The use cases that the owner's commands run alone: no function does, and so none has a right for them."""
_ON_PAPER = {"order_placement", "order_settlement"}
"""Who sends orders does so on paper, too; the scan only quotes."""


def test_topics_have_both_ends() -> None:
    """Every topic is published to by a function or a schedule, and somebody subscribes to it."""
    published = set(chain.from_iterable(function.publishes for function in TOPOLOGY.functions))
    published |= {schedule.topic for schedule in TOPOLOGY.schedules}
    subscribed = {one.topic for function in TOPOLOGY.functions for one in function.subscriptions}
    assert published == subscribed == set(TOPOLOGY.topics)


def test_rights_name_what_exists() -> None:
    """Rights and subscriptions name declared collections, secrets and topics only, and each one is used."""
    for kind in ("collections", "secrets"):
        used = set(chain.from_iterable(getattr(function, kind) for function in TOPOLOGY.functions))
        assert used == set(getattr(TOPOLOGY, kind))
    for function in TOPOLOGY.functions:
        assert function.purpose
        assert all(right for right in (*function.collections.values(), *function.secrets.values()))
    purposes = [one.purpose for one in TOPOLOGY.collections.values()]
    assert all(chain(TOPOLOGY.topics.values(), TOPOLOGY.secrets.values(), purposes))


def test_schedules_publish_known_kinds() -> None:
    """Each schedule publishes a message that this code knows, to a declared topic, under a name of its own."""
    assert len({schedule.name for schedule in TOPOLOGY.schedules}) == len(TOPOLOGY.schedules)
    for schedule in TOPOLOGY.schedules:
        assert schedule.topic in TOPOLOGY.topics
        assert NAMES[type(unpack(scheduled_body(schedule.message)))] == schedule.message
        assert schedule.message in KINDS


def test_functions_are_the_folders() -> None:
    """The topology names exactly the functions that have a folder with a main.py, each once."""
    names = [function.name for function in TOPOLOGY.functions]
    assert sorted(names) == sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))
    assert all((ROOT / "shared" / "wiring" / f"{name}.py").is_file() for name in names)


@pytest.mark.parametrize("function", TOPOLOGY.functions, ids=lambda function: function.name)
def test_a_message_is_not_brought_again_while_it_is_worked_on(function: Function) -> None:
    """Each acknowledgement deadline leaves the function its whole time-out and time to answer, within the bounds."""
    for one in function.subscriptions:
        assert function.timeout_s + ANSWER_S <= one.ack_deadline_s <= MOST_ACK_S
        assert 0 < one.min_backoff_s <= one.max_backoff_s <= 600
        assert 5 <= one.max_attempts <= MOST_ATTEMPTS
    assert not (function.public and function.subscriptions)


def test_a_signal_is_tried_again_while_it_lives() -> None:
    """Exits and signals come again within seconds and often enough to outlast a full function."""
    for one in TOPOLOGY.function("order_placement").subscriptions:
        assert (one.min_backoff_s, one.max_backoff_s, one.max_attempts) == (1, 10, 20)
    assert TOPOLOGY.function("order_placement").max_instances == 1


def test_no_function_holds_more_than_it_must() -> None:
    """Only the sign-in adds tokens, only the refresh ends them, addresses are notify's, the audit nobody's."""
    for function in TOPOLOGY.functions:
        assert Right.WRITE not in function.collections.get("notices", Right(0))
        if function.name == "notify":
            assert function.secrets == {NOTIFY_ADDRESSES: Right.READ, HALT_KEY: Right.READ}
            continue
        if function.name == "market_history":
            assert function.secrets == {ALPACA_KEY: Right.READ}
            assert function.publishes == {"notices"}
            continue
        assert not {NOTIFY_ADDRESSES, ALPACA_KEY} & set(function.secrets)
        assert function.secrets[CONSUMER] is Right.READ
        assert (Right.CREATE in function.secrets[ACCESS_TOKEN]) is (function.name == "oauth_callback")
        assert (REQUEST_TOKEN in function.secrets) is (function.name == "oauth_callback")
        if function.name in {"oauth_callback", "token_refresh"}:
            assert (Right.WRITE in function.secrets[ACCESS_TOKEN]) is (function.name == "token_refresh")
            assert function.secrets[SIGN_IN_KEY] is Right.READ
            assert (HALT_KEY in function.secrets) is (function.name == "oauth_callback")
        else:
            assert function.secrets == {CONSUMER: Right.READ, ACCESS_TOKEN: Right.READ}
        assert Right.WRITE not in function.collections.get("audit", Right(0))
        assert Right.WRITE not in function.collections.get("dead_letters", Right(0))
        assert Right.WRITE not in function.collections.get("fills", Right(0))
    assert {one.name for one in TOPOLOGY.functions if "paper" in one.collections} == _ON_PAPER
    assert "orders" not in TOPOLOGY.function("oauth_callback").collections
    changed = {one.name for one in TOPOLOGY.functions if one.collections.get("token", Right.READ) is not Right.READ}
    assert changed == {"oauth_callback", "token_refresh"}
    assert TOPOLOGY.function("token_refresh").collections["orders"] is Right.READ
    assert Right.CREATE not in TOPOLOGY.function("market_scan").collections["orders"]


def _paths(source: str) -> set[str]:
    """Collections that a module names: `"outbox"` in a query, `f"orders/..."` or `"token/main"` anywhere."""
    found = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            found.add(str(node.values[0].value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            found.add(node.value)
    roots = {text.partition("/")[0] for text in found if "/" in text}
    queried = {
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "query"
        if isinstance(node.args[0], ast.Constant)
    }
    return {name for name in roots | queried if name.isidentifier()}


def _used(name: str) -> set[str]:
    parts = _PARTS[name]
    paths = [_MODULES[part] for part in sorted(parts)] + ["paper/books"] * (name in _ON_PAPER)
    paths += ["etrade/turns"] * (name in _ON_PAPER)
    paths += ["domain/market/receipts", "domain/telling/left_out"] * (name == "market_scan")
    sources = [(ROOT / "shared" / f"{path}.py").read_text() for path in paths]
    return set(chain.from_iterable(_paths(source) for source in sources)) | {"dead_letters"}


def test_every_use_case_belongs_to_a_function() -> None:
    """The table of this file knows every use case, and the archive of no function reaches one of the owner's alone."""
    assert set(chain.from_iterable(_PARTS.values())) | _OWNERS == set(_MODULES)
    for name in _PARTS:
        assert not {f"shared/{_MODULES[one]}.py" for one in _OWNERS} & follow(ROOT, START.format(name), NO_LOCK).modules


@pytest.mark.parametrize("name", _PARTS)
def test_the_code_names_declared_collections(name: str) -> None:
    """Every collection that a function's use cases name is declared for it, or it is one that others use."""
    assert _used(name) <= set(TOPOLOGY.collections)
    used_by_code = set(chain.from_iterable(_used(one) for one in _PARTS))
    assert used_by_code == set(TOPOLOGY.collections)
    assert set(TOPOLOGY.function(name).collections) - _used(name) - {"control", "restrictions", "token"} == set()


def test_settlement_is_woken_by_orders_that_are_not_its_own() -> None:
    """Placement may announce what it sent; settlement sends only stops of its own and announces none."""
    assert TOPOLOGY.function("order_placement").publishes == {"orders-placed", "notices", "renew-asks"}
    assert TOPOLOGY.function("order_settlement").publishes == {"notices", "renew-asks"}


def test_a_process_has_a_thread_for_each_request_at_once() -> None:
    """Every function is told as many threads as it takes requests at once, and one for linear algebra."""
    for function in TOPOLOGY.functions:
        assert function.environ == {"THREADS": str(function.concurrency), "OPENBLAS_NUM_THREADS": "1"}


def test_a_seeded_contradiction_is_found() -> None:
    """A function is found by its name, and an unknown name is a KeyError."""
    assert TOPOLOGY.function("market_scan").name == "market_scan"
    with pytest.raises(KeyError):
        TOPOLOGY.function("console")
    assert Topology(functions=(), topics={}, schedules=(), secrets={}, collections={}).functions == ()
    assert topology.NEW_YORK == "America/New_York"
