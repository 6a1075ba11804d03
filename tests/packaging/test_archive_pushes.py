"""Bad input to the archives in their processes: what they keep of it, what they leave alone, and how a start ends."""

import json
import subprocess

import pytest

from shared.domain.telling.messages import MAX_BYTES, SCHEMA_VERSION
from shared.door import MAX_BODY
from shared.topology import TOPOLOGY
from tests.packaging.drive import one_new_document, takers
from tests.packaging.graph import BUT_NOTICES, Graph, eventually, push_of, versioned
from tests.packaging.processes import Runnable

PUSHED = [function.name for function in TOPOLOGY.functions if function.subscriptions]
NAMES = [function.name for function in TOPOLOGY.functions]
_LARGE = json.dumps({"kind": "scan_tick", "schema_version": SCHEMA_VERSION, "body": {"x": "x" * MAX_BYTES}}).encode()

# Bodies that Pub/Sub itself never sends, and messages that it brings, with the reason in their letter.
_BODIES: dict[str, object] = {
    "no JSON": b'{"message": ', "no push": {"message": "hello"}, "no base64": push_of("%%%"), "nothing": b"",
}  # fmt: skip
_MESSAGES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "Malformed"),
    "larger than a message": (_LARGE, "Malformed"),
    "a newer version": (versioned(SCHEMA_VERSION + 1), "UnknownVersion"),
    "an unknown kind": (versioned(kind="sell_everything"), "UnknownVersion"),
    "larger than a push": (b"x" * MAX_BODY, "Malformed"),
    "of another function": (b"", "Malformed"),
}

_WRONG = {
    "GOOGLE_CLOUD_PROJECT": "My Desk", "FIRESTORE_DATABASES": "My Database", "ETRADE_SANDBOX": "perhaps",
    "ETRADE_ACCOUNT_ID": "?", "ETRADE_OAUTH_CALLBACK_URL": "ftp://here", "ETRADE_RATE_LIMIT": "0",
    "ETRADE_BURST_LIMIT": "many", "STRATEGY_CONFIG": "mine", "STRATEGY_WATCH_LIST": "AIG,?",
    "STRATEGY_CAPITAL_USD": "plenty", "ETRADE_CONSUMER_KEY": "alone",
}  # fmt: skip


@pytest.mark.parametrize("name", PUSHED)
@pytest.mark.parametrize("case", _BODIES)
def test_a_bad_body_leaves_one_letter(graph: Graph, name: str, case: str) -> None:
    """A body that is no push is acknowledged, and all that it leaves, twice sent, is one letter and its notice."""
    before = graph.documents()
    process = graph.functions[name]
    kept = {path for path in before if path.startswith(f"dead_letters/{name}:")}
    assert [process.request("POST", "/", _BODIES[case]) for _ in range(2)] == [204, 204]
    ((path, letter),) = graph.new_documents(before, *BUT_NOTICES).items()
    assert path not in kept
    assert (letter["function"], letter["reason"]) == (name, "Malformed")
    assert letter["detail"]


@pytest.mark.parametrize("name", PUSHED)
@pytest.mark.parametrize("case", _MESSAGES)
def test_a_bad_message_leaves_one_letter(graph: Graph, name: str, case: str) -> None:
    """A message that no retry can help, brought by Pub/Sub, leaves one letter with the reason, and its notice."""
    data, reason = _MESSAGES[case]
    data = data or versioned(kind="settle_tick" if name == "market_scan" else "scan_tick")
    own = next(one.topic for one in TOPOLOGY.function(name).subscriptions if takers(one.topic) == {name})
    path, letter = one_new_document(graph, own, data)
    assert path.startswith(f"dead_letters/{name}:")
    assert (letter["function"], letter["reason"]) == (name, reason)
    assert len(letter["body"]) <= MAX_BODY
    told = {"severity": "ERROR", "kind": reason, "detail": letter["detail"]}
    lines = graph.functions[name].lines
    eventually(lambda: any(told.items() <= line.items() for line in lines("dead_letter")), "its line in the log")


@pytest.mark.parametrize("name", NAMES)
def test_a_start_that_cannot_succeed_says_why_in_one_line(borrowers: dict[str, Runnable], name: str) -> None:
    """With every value wrong a function ends non-zero, and one line of JSON names each variable."""
    runnable = borrowers[name]
    done = subprocess.run(  # noqa: S603 - fixed words
        [*runnable.framework, "--target", "main", "--source", "main.py", "--port", "0"],
        cwd=runnable.source, env={**runnable.environ, **_WRONG}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "")
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["severity"], told["event"], told["function"]) == ("CRITICAL", "cannot_start", name)
    named = {problem.split("=")[0].split()[0] for problem in told["problems"].split("; ")}
    assert named == set(_WRONG)


def test_the_checkout_is_out_of_reach(borrowers: dict[str, Runnable]) -> None:
    """What runs an archive here finds the shared code nowhere but in the archive."""
    (runnable, *_) = borrowers.values()
    call = [*runnable.framework[:-2], "-c", "import functions_framework, shared"]
    done = subprocess.run(  # noqa: S603 - fixed words
        call, cwd=runnable.source, env=dict(runnable.environ), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "ModuleNotFoundError: No module named 'shared'")
