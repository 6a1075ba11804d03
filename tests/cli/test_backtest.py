"""`strategy backtest`: the result first, its files, and every mistake as one sentence before anything is played."""

import csv
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.backtest import Resolution, backtest
from infra.cli.main import app
from infra.simulated_day.own import MOST_LINES
from tests.backtest.made import session
from tests.backtest.test_data import MONDAY, TUESDAY, minutes, quotes
from tests.strategies.own import write

STRATEGY = Path(sys.executable).with_name("strategy")


def called(
    folder: Path, *words: str, timeout: float = 240, own: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with a register of its own, and with strategies of one's `own`."""
    environ = environment(folder) | ({} if own is None else {"STRATEGY_STRATEGIES": str(own)})
    return subprocess.run(  # noqa: S603 - fixed words
        [STRATEGY, "backtest", *words], cwd=folder, env=environ, capture_output=True, text=True, timeout=timeout,
        check=False,
    )  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "STRATEGY_TRIALS": str(folder / "trials.jsonl"), "STRATEGY_STRATEGIES": ""}


def test_a_file_of_minutes_is_played_and_its_result_written(tmp_path: Path) -> None:
    """A back-test leaves a page, its figures and its trades, says on what, and counts itself as a trial."""
    file = minutes(tmp_path / "bars.csv", MONDAY, TUESDAY)
    found = called(tmp_path, "--data", str(file), "--json")
    assert found.returncode == 0, found.stderr
    (result,) = json.loads(found.stdout)
    assert result["span"]["sessions"] == 2
    assert result["resolution"] == "bars of a minute"
    assert "chosen today" in result["said"][0]
    assert "first trial" in result["said"][1]
    folder = tmp_path / "backtests" / "0001"
    assert {"report.html", "report.json", "trades.csv"} <= {one.name for one in folder.iterdir()}
    assert json.loads((folder / "report.json").read_text()) == result
    twice = ("--config", "demo", "--config", "default", "--config", "demo")
    shown = called(tmp_path, "--data", str(copy_of(file)), *twice)
    assert (shown.stdout + shown.stderr).count("chosen today") == 1
    assert shown.stderr.count("--config demo was said more than once, and is played once.") == 1
    assert "This is trial 2 on these data" in shown.stdout
    said = " ".join(shown.stdout.split())
    assert "tried on these data before, and is no new trial. The trials are 2 on these data" in said
    assert shown.stdout.index("chosen today") < shown.stdout.index("Return")
    assert "Configuration demo" in shown.stdout
    assert (tmp_path / "backtests" / "0002" / "02" / "report.html").exists()


def copy_of(file: Path) -> Path:
    """Copy a file into a folder of its own."""
    folder = file.with_suffix("")
    folder.mkdir()
    return Path(shutil.copy(file, folder))


def test_what_shows_no_result_is_no_trial(tmp_path: Path) -> None:
    """A run that is refused for a fault in its file leaves the register as it was."""
    file = quotes(tmp_path / "day.csv", MONDAY)
    with file.open("a", encoding="utf-8") as rows:
        rows.write(f"{session(MONDAY).opens_at.isoformat()},SPY,101,100,100,100,100,5000\n")
    found = called(tmp_path, "--data", str(file), "--resolution", "tick")
    assert (found.returncode, (tmp_path / "trials.jsonl").read_bytes()) == (2, b""), found.stderr
    assert "crossed quote" in found.stderr
    quotes(file, MONDAY)
    assert "This is the first trial on these data." in called(tmp_path, "--data", str(file)).stdout


def test_the_trades_add_up_to_what_the_report_says(tmp_path: Path) -> None:
    """The profits after fees in trades.csv are together what the report counts, those before fees less the fees."""
    found = called(tmp_path, "--to", "2013-03-04", "--config", "demo", "--json")
    assert found.returncode == 0, found.stderr
    (result,) = json.loads(found.stdout)
    with (tmp_path / "backtests" / "0001" / "trades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    before, fees, after = (
        sum(Decimal(row[name]) for row in rows)
        for name in ("profit_before_fees_usd", "fees_usd", "profit_after_fees_usd")
    )
    assert (after, fees) == (Decimal(result["figures"]["realized"]), Decimal(result["figures"]["fees"]))
    assert before - fees == after
    assert fees > 0
    assert "profit_usd" not in rows[0]


def test_what_a_strategy_prints_spoils_no_answer(tmp_path: Path) -> None:
    """What a strategy prints is on stderr under its name, the first lines of it, and JSON is the only answer."""
    own = tmp_path / "own"
    own.mkdir()
    write(own, vote="print('asked', view.symbol)\n    return CHEAP", more="\n\nprint('it begins')\n")
    write(own, "momentum")
    words = ("--to", "2013-03-04", "--symbols", "IBM", "--strategy", "mine", "--json")
    found = called(tmp_path, *words, own=own)
    assert found.returncode == 0, found.stderr
    (result,) = json.loads(found.stdout)
    assert result["span"]["sessions"] == 1
    assert "Strategy mine printed: it begins\n" in found.stderr
    assert 1 < found.stderr.count("Strategy mine printed: asked IBM\n") <= MOST_LINES
    assert found.stderr.count("beyond that is not shown") == 1
    assert "momentum.py has the name of a strategy that ships, and is left out" in found.stderr


def test_the_help_and_the_readmes_name_the_same_resolution() -> None:
    """Without `--resolution` bars of a minute are played, and the help and both READMEs say so."""
    (default,) = [one.default for one in inspect.signature(backtest).parameters.values() if one.name == "resolution"]
    assert default is Resolution.MINUTE
    told = CliRunner().invoke(app, ["backtest", "--help"], env={"COLUMNS": "200"}).stdout
    assert re.search(r"--resolution.*Bars of a minute.*\[default: 1m\]", told)
    room = Path(__file__).resolve().parents[2]
    assert "(the default,\n`--resolution 1m`)" in (room / "infra" / "README.md").read_text()
    assert "with `--resolution 1m`, its default)" in (room / "shared" / "strategies" / "README.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "nowhere"), "there is no data 'nowhere'"),
        (("--from", "2013-03-01"), "the generated market begins on 2013-03-04"),
        (("--from", "yesterday"), "--from 'yesterday' is no day"),
        (("--from", "2013-03-08", "--to", "2013-03-04"), "--to 2013-03-04 is before --from 2013-03-08"),
        (("--data", "own", "--from", "2013-03-08", "--to", "2013-03-04"), "is before --from 2013-03-08"),
        (("--from", "2013-03-09", "--to", "2013-03-10"), "does not trade from 2013-03-09 to 2013-03-10"),
        (("--symbols", "XYZ"), "there is nothing of XYZ"),
        (("--strategy", "nosuch"), "there is no strategy nosuch"),
        (("--config", "nosuch"), "there is no configuration 'nosuch'"),
        (("--capital", "little"), "'little' is no capital"),
        (("--data", "own"), "--data own needs a span"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: Sequence[str], said: str
) -> None:
    """What cannot be played is refused with what is wrong and what to do, and is no trial."""
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(app, ["backtest", *words], env=environment(tmp_path))
    assert found.exit_code == 2
    assert said in found.stderr
    assert "Remedy: " in found.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_every_process(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a year ends the command and every process that it started, with exit code 130."""
    words = ["--config", "demo", "--to", "2014-02-28", "--symbols", "IBM"]
    running = subprocess.Popen(  # noqa: S603 - fixed words
        [STRATEGY, "backtest", *words], cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    children: list[int] = []
    until = time.monotonic() + 120
    while len(children) < 2 and time.monotonic() < until:
        time.sleep(0.2)
        children = _children(running.pid)
    assert children
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "Interrupted" in said
    until = time.monotonic() + 30
    while any(map(_runs, children)) and time.monotonic() < until:
        time.sleep(0.2)
    assert not [child for child in children if _runs(child)]


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runs(pid: int) -> bool:
    """Tell whether a process runs; one that has ended may wait for somebody to take note of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
