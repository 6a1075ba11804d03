"""`strategy check` finds what would make a strategy decide otherwise live than in a back-test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.archives import passed
from infra.archives.found import owners
from infra.cli.main import app
from infra.simulated_day.problems import UserError
from infra.strategies import views
from infra.strategies.checking import ask, check
from shared.strategies.registry import found
from tests.strategies.own import write

REMEMBERS = """STATE.count += 1
    if STATE.count % 977 == 0:
        return CHEAP
    return Vote(strategy=NAME, confidence=Decimal("0.80"), reasons=("it is another one",))


class _State:
    count = 0


STATE = _State()
"""
FOUND = {
    "answers": 'raise KeyError("no such bar")',
    "purity": REMEMBERS,
    "time": "sum(n * n for n in range(9_000_000 * (len(view.bars) == 100)))\n    return CHEAP",
    "process": "import os\n    os._exit(7)",
}


def test_a_strategy_that_passes_is_entered_and_ships(tmp_path: Path) -> None:
    """What passes stands in the register by its hash and goes into archives; changed by one byte it does neither."""
    folder = write(tmp_path)
    assert passed.unchecked(folder) == ("mine",)
    checked = check("mine", str(folder))
    assert (checked.passed, checked.findings) == (True, ())
    assert checked.figures["votes"] > 0
    assert passed.unchecked(folder) == ()
    assert list(owners(folder)) == ["shared/strategies/own/mine.py"]
    (folder / "mine.py").write_text((folder / "mine.py").read_text() + "\n")
    assert passed.unchecked(folder) == ("mine",)
    assert owners(folder) == {}


def test_on_minutes_the_last_price_is_the_last_bars_close() -> None:
    """As the README says, on bars of a minute a price never leaves the last bar, so only those before it are left."""
    seen = [(view.quote.last, list(view.bars)) for view in views.views() if len(view.bars) > 1]
    assert all(last == bars[-1].close for last, bars in seen)
    assert any(last > bars[-2].high for last, bars in seen)


@pytest.mark.parametrize("kind", FOUND)
def test_what_it_does_when_asked_is_found(tmp_path: Path, kind: str) -> None:
    """A strategy that raises, remembers, takes too long or ends its process is found by asking it."""
    folder = write(tmp_path, vote=FOUND[kind])
    figures = ask("mine", str(folder))
    assert figures["findings"][0]["check"] == kind


def test_a_file_where_the_owner_stands_is_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file json.py in the current folder is nobody's fault: the strategy is asked, also in a folder named from there,
    while a process that is started there without care takes the file for Python's own.
    """
    (tmp_path / "own").mkdir()
    write(tmp_path / "own")
    (tmp_path / "json.py").write_text("raise ImportError('the wrong json')\n")
    monkeypatch.chdir(tmp_path)
    figures = ask("mine", "own", seeds=("1",))
    assert figures["findings"] == []
    assert figures["votes"] > 0
    careless = [sys.executable, "-m", "infra.strategies.examined", "answers", "mine", "own", "said.json"]
    told = subprocess.run(careless, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert told.stderr.rstrip().endswith("the wrong json")


@pytest.mark.parametrize(
    ("where", "odd"),
    [
        ("vote", "hash(view.quote.symbol) % 2"),
        ("vote", "'up' == next(iter({'up', 'down'}))"),
        ("leave", "hash(view.quote.symbol) % 2"),
    ],
)
def test_what_another_process_answers_otherwise_is_found(tmp_path: Path, odd: str, where: str) -> None:
    """What hash() or the order of a set decides is found by processes of other seeds, and by those of one seed not."""
    body = f"if {odd}:\n        return CHEAP\n    return "
    yes = "Vote(strategy=NAME, confidence=Decimal('0.80'), reasons=('it is the other',))"
    leave = f"\n\ndef leave(view, own, position):\n    {body}None\n"
    folder = str(write(tmp_path, vote=f"{body}{yes}") if where == "vote" else write(tmp_path, more=leave))
    (finding,) = ask("mine", folder)["findings"]
    assert finding["check"] == "purity"
    assert "the order of a set or on hash(), which differ between processes" in finding["what"]
    assert ask("mine", folder, seeds=("1", "1"))["findings"] == []


@pytest.mark.parametrize(
    ("reach", "did"),
    [
        ("open('/dev/null')", "opened a file (open)"),
        ("try:\n        open('/dev/null')\n    except Exception:\n        pass", "opened a file (open)"),
        ("__import__('socket').socket()", "used the network (socket.__new__)"),
        ("__import__('os').listdir('/')", "asked the operating system (os.listdir)"),
    ],
)
def test_what_reaches_outside_is_stopped(tmp_path: Path, reach: str, did: str) -> None:
    """A file, a connection or a folder that is opened while it votes is a finding, also where its text was not read."""
    figures = ask("mine", str(write(tmp_path, vote=f"{reach}\n    return CHEAP")))
    assert [(one["check"], one["what"]) for one in figures["findings"]] == [("purity", f"while it voted it {did}")]


@pytest.mark.parametrize(
    ("body", "check", "did"),
    [
        ("open('/dev/null')", "purity", "while it was asked whether to leave it opened a file (open)"),
        ("sum(n * n for n in range(9_000_000))", "time", "one answer took "),
    ],
)
def test_what_it_does_when_asked_to_leave_is_found(tmp_path: Path, body: str, check: str, did: str) -> None:
    """A `leave` that opens a file or takes too long is found as a vote is."""
    figures = ask("mine", str(write(tmp_path, more=f"\n\ndef leave(view, own, position):\n    {body}\n")))
    assert [(one["check"], one["what"][: len(did)]) for one in figures["findings"]] == [(check, did)]


@pytest.mark.parametrize("body", ["return 'because'", "return 1 / 0"])
def test_a_leave_without_an_answer_is_told_what_it_may_answer(tmp_path: Path, body: str) -> None:
    """A `leave` that raises or answers nonsense is told to answer a reason or None, and nothing of a Vote."""
    figures = ask("mine", str(write(tmp_path, more=f"\n\ndef leave(view, own, position):\n    {body}\n")))
    (finding,) = figures["findings"]
    assert (finding["check"], finding["remedy"]) == ("answers", "return one of its REASONS, or None, from leave")
    assert "Vote" not in finding["what"]


def test_a_file_with_a_fault_is_not_run(tmp_path: Path) -> None:
    """What its text shows is told with file and line before it is run, and it does not pass."""
    folder = write(tmp_path, more="\n\nimport time\n(__import__('pathlib').Path(__file__).parent / 'ran').touch()\n")
    checked = check("mine", str(folder))
    assert not checked.passed
    assert any(what == f"{folder / 'mine.py'}:{line}: it imports time" for _, what, _ in checked.findings
               for line in [(folder / "mine.py").read_text().splitlines().index("import time") + 1])  # fmt: skip
    assert not (folder / "ran").exists()
    assert passed.unchecked(folder) == ("mine",)


def test_a_file_that_is_no_python_is_named_with_its_line(tmp_path: Path) -> None:
    """A syntax error is a finding of form with its place."""
    (tmp_path / "mine.py").write_text("def vote(view, own:\n    pass\n")
    (finding,) = check("mine", str(tmp_path)).findings
    assert finding[0] == "form"
    assert "mine.py:1" in finding[1]


def test_what_is_not_there_is_refused_with_what_is(tmp_path: Path) -> None:
    """A name that nobody has is refused, and the remedy lists those that there are."""
    with pytest.raises(UserError, match="no strategy nobody") as problem:
        check("nobody", str(tmp_path))
    assert "momentum" in problem.value.remedy


def test_a_file_with_a_name_that_ships_stops_no_other(tmp_path: Path) -> None:
    """A file that has the name of a strategy that ships does not pass and is told why; the others are checked."""
    folder = write(write(tmp_path), "momentum")
    found = CliRunner().invoke(app, ["check"], env={"STRATEGY_STRATEGIES": str(folder)})
    assert found.exit_code == 1
    assert "momentum: did not pass" in found.stdout
    assert "momentum.py has the name of a strategy that ships, and is left out" in found.stdout
    assert "mine: passed" in found.stdout
    assert passed.unchecked(folder) == ("momentum",)


def test_a_file_with_the_name_of_a_module_does_not_pass(tmp_path: Path) -> None:
    """A file that stands in the place of a module of Python's own does not pass, and is told why."""
    (finding,) = check("json", str(write(tmp_path, "json"))).findings
    assert finding[0] == "name"
    assert "json.py hides the module json" in finding[1]


def test_it_says_what_it_checks_before_it_does(tmp_path: Path) -> None:
    """Before each strategy's answer a line of stderr names it, its turn and how long that may last."""
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text("def vote(:\n")
    found = CliRunner().invoke(app, ["check"], env={"STRATEGY_STRATEGIES": str(tmp_path)})
    said = ["Checking first (1 of 2): up to 2 minutes.", "Checking second (2 of 2): up to 2 minutes."]
    assert found.stderr.splitlines() == said
    lines = [line for line in found.output.splitlines() if line.startswith(("Checking", "first", "second"))]
    assert [line.split()[0] for line in lines] == ["Checking", "first:", "Checking", "second:"]


def test_a_damaged_register_passes_nothing(tmp_path: Path) -> None:
    """Whatever stands in a register that is no table of rows, nothing in its folder has passed."""
    folder = write(tmp_path)
    for held in ("", "{", "[]", '{"mine": 1}', json.dumps({"mine": {"sha256": 1, "checks": passed.CHECKS}})):
        (folder / passed.REGISTER).write_text(held)
        assert passed.unchecked(folder) == ("mine",)


@pytest.mark.parametrize("name", sorted(found()))
def test_what_ships_passes(name: str) -> None:
    """Every strategy that ships passes all checks."""
    checked = check(name, "")
    assert (checked.findings, checked.ships) == ((), True)
