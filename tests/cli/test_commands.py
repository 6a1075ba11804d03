"""The command line: what it shows and how it fails."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.cli.day import Lines
from infra.cli.main import app
from infra.one_machine.sqlite_store import SqliteStore
from infra.simulated_day import audit
from infra.simulated_day.folder import Card, claim
from infra.simulated_day.result import Progress
from infra.simulated_day.state import STATE_FILE
from shared.codec import dumps, encode
from shared.ports import Put
from shared.topology import TOPOLOGY, Right
from tests.simulated_day.sample import quiet_day
from tests.simulated_day.test_audit_file import Shelf


def strategy(*words: str) -> Result:
    """Run one command in this process."""
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "NO_COLOR": "1"})


def refused(result: Result, *parts: str) -> None:
    """Check that a command refused its input: exit code 2, a sentence and a remedy, no traceback."""
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    assert "\nRemedy: " in result.stderr
    assert "Traceback" not in result.output
    for part in parts:
        assert part in result.stderr


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    """Return an exported trail that holds."""
    path = tmp_path / audit.FILE
    path.write_bytes(audit.export(Shelf(quiet_day())))
    return path


def test_topology_shows_the_whole_graph() -> None:
    """Every function, topic, schedule, collection and secret of the topology is shown."""
    shown = strategy("topology").output
    names = [function.name for function in TOPOLOGY.functions] + [*TOPOLOGY.topics, *TOPOLOGY.secrets]
    names += [schedule.cron for schedule in TOPOLOGY.schedules]
    names += [name for function in TOPOLOGY.functions for name in function.collections]
    assert [name for name in names if name not in shown] == []


def test_topology_shows_every_permission() -> None:
    """Every row of the matrix that functions/README.md embeds is also in the tables for the terminal."""
    shown = strategy("topology").output
    for row in strategy("topology", "--matrix").output.splitlines():
        if row.startswith("| ") and not row.startswith("| -"):
            assert all(word in shown for word in row.strip("| ").replace("|", " ").replace(",", " ").split())


@pytest.mark.parametrize("columns", ["50", "60", "80", "120", "140", "150", "160"])
def test_topology_is_never_cut(columns: str) -> None:
    """Every right of every function stands whole on a line of its own cell, however narrow the output is."""
    shown = CliRunner().invoke(app, ["topology"], env={"COLUMNS": columns, "NO_COLOR": "1"}).output
    words = Counter(re.findall(r"[\w-]+ r?c?w?(?= *│)", shown))
    rights = [
        f"{name} {''.join(letter for letter, one in zip('rcw', Right, strict=True) if one in given)}"
        for function in TOPOLOGY.functions
        for name, given in (*function.collections.items(), *function.secrets.items())
    ]
    assert Counter(rights) - words == Counter()
    assert "…" not in shown


def test_mermaid_stands_alone() -> None:
    """With --mermaid nothing but the drawing is printed, and each edge joins two nodes that exist."""
    lines = strategy("topology", "--mermaid").output.splitlines()
    assert lines[0] == "flowchart LR"
    edges = [line.split(" --> ") for line in lines if " --> " in line]
    nodes = {line.strip().partition("[")[0].partition("(")[0] for line in lines[1:] if " --> " not in line}
    assert len(edges) > 15
    assert {end.strip() for edge in edges for end in edge} - nodes == {"owner((owner))"}


def test_a_trail_that_holds_is_verified(trail: Path) -> None:
    """A clean trail gives exit code 0 and its counts, with the name of the file that was checked."""
    result = strategy("audit", "verify", str(trail))
    assert (result.exit_code, result.output) == (0, f"The audit trail {trail} is intact: 38 events in 7 chains.\n")


def test_a_broken_trail_is_reported(trail: Path) -> None:
    """A changed event gives exit code 1 and a sentence that names its chain."""
    trail.write_bytes(trail.read_bytes().replace(b'"quantity":"54"', b'"quantity":"55"', 1))
    result = strategy("audit", "verify", "--state", str(trail.parent))
    assert result.exit_code == 1
    assert "does not hold at seq" in result.output
    assert f"The audit trail {trail} is broken" in result.output


def test_a_chain_that_was_cut_out_whole_is_missed(trail: Path) -> None:
    """A run's trail without one chain and its seal is broken by the run's state, although the file by itself holds."""
    day, folder = quiet_day(), trail.parent
    store = SqliteStore(folder / STATE_FILE)
    store.commit([Put(f"orders/{order.intent_id}", encode(order)) for order in day.orders])
    store.commit([Put(f"audit/{event.chain}:{event.seq:06d}", encode(event)) for event in day.events])
    store.close()
    assert strategy("audit", "verify", "--state", str(folder)).exit_code == 0
    gone = day.orders[0].intent_id
    kept = [event for event in day.events if event.chain != gone]
    seal = {"session": "2013-10-07", "heads": {name: head for name, head in day.book().seals.items() if name != gone}}
    trail.write_bytes(b"".join(dumps(line) + b"\n" for line in (*map(encode, kept), seal)))
    assert strategy("audit", "verify", str(trail)).exit_code == 0
    result = strategy("audit", "verify", "--state", str(folder))
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == f"Chain {gone} of the run's state is not in the trail."
    assert f"The audit trail {trail} is broken" in result.output


def test_a_run_is_verified_by_its_folder(trail: Path) -> None:
    """The folder of a run may be named with --state or without."""
    assert strategy("audit", "verify", str(trail.parent)).output == strategy("audit", "verify", str(trail)).output


def test_a_trail_of_nothing_does_not_hold(trail: Path) -> None:
    """An empty file is refused, however it is named; a session in which nothing was ordered has a seal and holds."""
    trail.write_bytes(b"")
    for words in ((str(trail),), (str(trail.parent),), ("--state", str(trail.parent))):
        refused(strategy("audit", "verify", *words), "is empty", "nothing was verified")
    trail.write_bytes(dumps({"session": "2013-10-07", "heads": {}}) + b"\n")
    assert strategy("audit", "verify", str(trail)).exit_code == 0


def test_an_unreadable_trail_is_refused(trail: Path) -> None:
    """A trail that is missing or no JSON gives exit code 2, the line and a remedy."""
    refused(strategy("audit", "verify", str(trail.parent / "none.jsonl")), "none.jsonl cannot be read")
    trail.write_bytes(b"\x00\n")
    refused(strategy("audit", "verify", str(trail)), "line 1")
    refused(strategy("audit", "verify", str(trail), "--state", str(trail.parent)), "both given")


def test_an_export_without_a_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any run, and for a folder that holds none, the export says what to do."""
    monkeypatch.chdir(tmp_path)
    refused(strategy("audit", "export"), "there is no run in runs", "strategy demo")
    refused(strategy("audit", "export", "--state", str(tmp_path)), "holds no state of a run")


def test_a_missing_market_file_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A market that does not exist is refused before any folder is made."""
    monkeypatch.chdir(tmp_path)
    refused(strategy("day", "--market", "nowhere.csv.gz"), "no market file nowhere.csv.gz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("time_utc,symbol,bid\n", "line 1: missing column bid_size"),
        (
            "{head}2013-10-07T13:30:01Z,A,1,1,1,1,1,1\n2013-10-07T13:30:00Z,A,1,1,1,1,1,1\n",
            "line 3: time goes",
        ),
        ("{head}2013-10-07T13:30:01Z,A,-1,1,1,1,1,1\n", "line 2: bid -1"),
        ("{head}2013-10-07T13:30:01Z,A,1.02,1,1.01,1,1,1\n", "line 2: crossed quote"),
    ],
)
def test_a_bad_market_file_is_named_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, problem: str
) -> None:
    """A market file that cannot be trusted is refused with its line, and nothing is written."""
    head = "time_utc,symbol,bid,bid_size,ask,ask_size,last,day_volume\n"
    market = tmp_path / "bad.csv"
    market.write_text(content.format(head=head))
    monkeypatch.chdir(tmp_path)
    refused(strategy("day", "--market", "bad.csv"), problem)
    assert list(tmp_path.iterdir()) == [market]


def test_an_unwritable_result_file_is_found_before_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result file that cannot be written is refused before the run makes its folder."""
    monkeypatch.chdir(tmp_path)
    refused(strategy("demo", "--json", "missing/out.json"), "missing/out.json cannot be written")
    assert list(tmp_path.iterdir()) == []


def test_a_finished_state_folder_is_refused(tmp_path: Path) -> None:
    """A folder with a finished result is not run over."""
    with claim(tmp_path / "day") as ours:
        ours.write_card(Card(market="generated-1", config="demo", seed=1, status="finished"))
    refused(strategy("demo", "--state", str(tmp_path / "day")), "finished run")


@pytest.mark.parametrize(
    "words",
    [
        ("day",),
        ("day", "--market", "generated", "--config", "bold"),
        ("day", "--market", "generated", "--speed", "3"),
        ("demo", "--seed", "one"),
        ("brokersim",),
        ("brokersim", "--port", "70000"),
        ("nonsense",),
    ],
)
def test_words_that_are_no_command_are_refused(words: tuple[str, ...]) -> None:
    """A missing, unknown or ill-typed option gives exit code 2 and no traceback."""
    result = strategy(*words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_half_a_consumer_pair_is_refused() -> None:
    """A consumer key without its secret is refused."""
    refused(strategy("brokersim", "--port", "0", "--consumer-key", "k"), "only one of")


def test_a_day_tells_how_far_it_is_where_no_bar_can_be_drawn() -> None:
    """In a pipe the first step of a day has a line, and then each new quarter, so no silence lasts for an hour."""
    told: list[str] = []
    lines = Lines(told.append)
    for minutes in range(1, 51):
        at = datetime(2013, 10, 7, 10, 55, tzinfo=UTC) + timedelta(minutes=minutes)
        lines.tell(Progress(at=at, done=0.1, ticks=1_200, orders=3, fills=2, realized=Decimal("12.5")))
    assert [line.partition("  ")[0] for line in told] == [
        f"{at} New York" for at in ("06:56:00", "07:00:00", "07:15:00", "07:30:00", "07:45:00")
    ]
    assert told[0].endswith("1,200 s watched  3 orders  2 fills  +12.50 USD realised")
