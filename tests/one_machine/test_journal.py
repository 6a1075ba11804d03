"""The journal: lines, counts, and what a crash or a full disk takes."""

import json
import resource
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.one_machine.journal import FileJournal
from infra.one_machine.kernel import Kernel
from shared.errors import StoreDown
from shared.ports import Severity
from shared.trace import serving

START = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)


def _journal(path: Path, flush_every: int = 3) -> FileJournal:
    return FileJournal(path, Kernel(start=START, seed=1), keep=frozenset({"odd"}), flush_every=flush_every)


def test_a_line_says_when_who_and_what(tmp_path: Path) -> None:
    """A line is one JSON object with instant, severity, event, function, trace and its fields."""
    path = tmp_path / "journal.jsonl"
    journal = _journal(path)
    kernel = Kernel(start=START, seed=1)

    def work() -> None:
        with serving({"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}):
            journal.of("market_scan").line("odd", Severity.WARNING, symbol="AAPL", ms=1.5, note=None)

    kernel.call(work, name="work")
    journal.close()
    journal.close()
    line = json.loads(path.read_text())
    assert line == {
        "at": "2013-10-07T13:30:00+00:00",
        "severity": "WARNING",
        "event": "odd",
        "function": "market_scan",
        "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
        "symbol": "AAPL",
        "ms": 1.5,
        "note": None,
    }
    assert journal.kept == [line]
    assert journal.counts == {"odd": 1}


def test_errors_are_written_at_once(tmp_path: Path) -> None:
    """Plain lines wait for company, at most a buffer of them, and an error takes them along to the disk."""
    path = tmp_path / "journal.jsonl"
    port = (journal := _journal(path)).of("x")
    port.line("one")
    port.line("two")
    assert path.read_text() == ""
    port.line("three", Severity.ERROR)
    assert len(path.read_text().splitlines()) == 3
    for _ in range(3):
        port.line("more")
    assert len(path.read_text().splitlines()) == 6
    journal.close()


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    """A journal that a kill left within a line goes on in a new one."""
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event":"whole"}\n{"event":"to')
    journal = _journal(path)
    journal.of("x").line("next")
    journal.close()
    whole, _, following = path.read_text().splitlines()
    assert (json.loads(whole)["event"], json.loads(following)["event"]) == ("whole", "next")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_disturbs_nobody() -> None:
    """Lines that the disk refuses are counted, the writer goes on, and only `close` complains."""
    journal = _journal(Path("/dev/full"))
    for _ in range(7):
        journal.of("x").line("event")
    assert journal.counts["event"] == 7
    with pytest.raises(StoreDown, match="7 journal lines"):
        journal.close()


def test_refused_lines_wait_for_room(tmp_path: Path) -> None:
    """What a full disk refuses, whole lines or half of one, is there in full once there is room again."""
    path = tmp_path / "journal.jsonl"
    journal = _journal(path, flush_every=1)
    port = journal.of("x")
    port.line("before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 150, before[1]))
    try:
        for number in range(4):
            port.line("event", number=number)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.stat().st_size < 400
    port.line("after")
    journal.close()
    whole = []
    for line in path.read_text().splitlines():
        with suppress(ValueError):
            whole.append(json.loads(line))
    assert [line.get("number", line["event"]) for line in whole] == ["before", 0, 1, 2, 3, "after"]
