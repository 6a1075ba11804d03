"""`strategy day` on made markets, as a person calls it: what it refuses, and what an interrupted run leaves."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.brokersim.recorded import ROW_COLUMNS
from infra.cli.main import app
from infra.simulated_day.environment import environ
from infra.simulated_day.problems import UserError
from infra.simulated_day.result import DayResult
from shared.codec import loads
from tests.patience import PATIENCE_S
from tests.simulated_day.conftest import RSS_MB, kept
from tests.simulated_day.made import market_file, rows, write_rows

ROOT = Path(__file__).resolve().parents[2]
OURS = ("ETRADE_", "STRATEGY_")
MADE = list(rows())[:400]
CROSSED = (*MADE[0][:2], "101.03", 5_000, "101.02", *MADE[0][5:])
BAD = {"ETRADE_RATE_LIMIT": "abc", "ETRADE_BURST_LIMIT": "0", "STRATEGY_CAPITAL_USD": "-1"}
UNUSED = {
    "STRATEGY_CONFIG": "zzz",
    "ETRADE_SANDBOX": "maybe",
    "ETRADE_ACCOUNT_ID": "no such account",
    "ETRADE_OAUTH_CALLBACK_URL": "ftp://mine",
    "ETRADE_CONSUMER_KEY": "half",
}
FREE = (*MADE[0][:2], "-1.00", *MADE[0][3:])


def command(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one command in a new process whose environment has no other settings than these."""
    return subprocess.run(  # noqa: S603 - our own command
        argv(*words), cwd=ROOT, env=environment(**environ), capture_output=True, text=True, check=False
    )


def argv(*words: str) -> list[str]:
    """Give the command line of a new process."""
    return [sys.executable, "-m", "infra.cli.main", *words]


def environment(**environ: str) -> dict[str, str]:
    """Give this process's environment without settings of ours, and with `environ`."""
    return {**{name: value for name, value in os.environ.items() if name not in _ours()}, **environ}


def refused(folder: Path, market: Path, **environ: str) -> str:
    """Check that a day is refused with exit code 2 and that nothing is written; give what it says."""
    before = sorted(folder.iterdir())
    words = ["day", "--market", str(market), "--state", str(folder / "run"), "--json", str(folder / "out.json")]
    done = CliRunner().invoke(app, words, env={**dict.fromkeys(_ours()), **environ})
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("Error: ")
    assert "\nRemedy: " in done.stderr
    assert sorted(folder.iterdir()) == before
    return done.stderr


def _ours() -> list[str]:
    return [name for name in os.environ if name.startswith(OURS)]


def _cut(path: Path) -> None:
    write_rows(path, MADE)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("name", "write", "says"),
    [
        (
            "no_ask.csv",
            lambda path: write_rows(
                path, [(*row[:4], *row[5:]) for row in MADE], columns=[name for name in ROW_COLUMNS if name != "ask"]
            ),
            "no_ask.csv, line 1: missing column ask",
        ),
        (
            "unordered.csv",
            lambda path: write_rows(path, [*MADE[:300], MADE[298]]),
            "unordered.csv, line 302: time goes backwards",
        ),
        (
            "negative.csv.gz",
            lambda path: write_rows(path, [*MADE[:10], (MADE[10][0], *FREE[1:])]),
            "negative.csv.gz, line 12: bid -1.00 is not above zero",
        ),
        (
            "crossed.csv",
            lambda path: write_rows(path, [CROSSED, *MADE[1:]]),
            "crossed.csv, line 2: crossed quote: bid 101.03 above ask 101.02",
        ),
        ("cut.csv.gz", _cut, r"cut.csv.gz, line \d+: the file is cut off here, in the middle of the gzip"),
    ],
)
def test_a_market_that_cannot_be_trusted_is_refused(
    tmp_path: Path, name: str, write: Callable[[Path], None], says: str
) -> None:
    """A bad market file is named with its line, the exit code is 2, and neither folder nor figures are written."""
    write(tmp_path / name)
    assert re.search(says, refused(tmp_path, tmp_path / name))


def test_the_line_of_a_cut_is_where_the_data_ends(tmp_path: Path) -> None:
    """A gzip that ends early is reported at a line inside the file, also when only its checksum is missing."""
    market = tmp_path / "cut.csv.gz"
    _cut(market)
    found = re.search(r"line (\d+):", refused(tmp_path, market))
    assert found is not None
    assert 2 <= int(found[1]) <= len(MADE) + 1
    write_rows(market, MADE)
    market.write_bytes(market.read_bytes()[:-4])
    assert f"line {len(MADE) + 2}: the file is cut off" in refused(tmp_path, market)


@pytest.mark.parametrize(("day", "says"), [("2013-11-28", "does not trade on 2013-11-28"), ("2011-11-25", "covers")])
def test_a_day_without_a_session_is_refused(tmp_path: Path, day: str, says: str) -> None:
    """A market of a holiday, or of a day that the calendar does not know, is refused before anything is written."""
    market = tmp_path / "rest.csv"
    write_rows(market, [(str(row[0]).replace("2013-11-29", day), *row[1:]) for row in MADE])
    assert says in refused(tmp_path, market)


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """Return a made market."""
    return market_file(tmp_path)


def test_bad_settings_are_named_together(market: Path, tmp_path: Path) -> None:
    """Every setting that cannot be used stands in one message, and nothing is written."""
    said = refused(tmp_path, market, **BAD, STRATEGY_WATCH_LIST="MADE,GONE,LOST")
    for problem in ("ETRADE_RATE_LIMIT='abc'", "ETRADE_BURST_LIMIT='0'", "STRATEGY_CAPITAL_USD='-1'", "GONE, LOST"):
        assert said.count(problem) == 1


def test_settings_that_are_not_used_are_checked_too(market: Path, tmp_path: Path) -> None:
    """A wrong configuration, account, address or half a key pair is refused, although a day uses its own."""
    said = refused(tmp_path, market, **BAD, **UNUSED)
    assert all(said.count(name) == 1 for name in (*BAD, *UNUSED)), said
    for secret in ("no such account", "ftp://mine"):
        assert secret not in said


def test_a_generated_day_leaves_a_watch_list_alone_that_is_well_formed() -> None:
    """With a generated market a foreign watch list is not used, but one that is no list is refused."""
    symbols = [f"Z{letter}" for letter in "ABCDEFGHIJKL"]
    choose = partial(environ, config="demo", market_spec="generated", symbols=symbols)
    assert choose({"STRATEGY_WATCH_LIST": "MINE"}) == choose({})
    with pytest.raises(UserError, match="STRATEGY_WATCH_LIST has 'M!', which cannot be used"):
        choose({"STRATEGY_WATCH_LIST": "m!"})


def test_settings_that_are_well_formed_but_not_used_change_nothing() -> None:
    """A person's account, configuration and key pair do not reach a day."""
    own = {"ETRADE_ACCOUNT_ID": "12345678", "STRATEGY_CONFIG": "default", "ETRADE_SANDBOX": "true"}
    own |= {"ETRADE_CONSUMER_KEY": "k", "ETRADE_CONSUMER_SECRET": "s"}
    choose = partial(environ, config="demo", market_spec="generated", symbols=["ZA"])
    assert choose(own) == choose({})
    assert choose({"STRATEGY_MODE": "paper", "ETRADE_SANDBOX": "true"}) == choose({})
    assert (choose({})["STRATEGY_MODE"], choose({})["ETRADE_SANDBOX"]) == ("live", "false")


def test_settings_that_the_cloud_would_refuse_are_refused_together() -> None:
    """Live orders at production are refused here, too, although a day has neither."""
    own = {"STRATEGY_MODE": "live", "ETRADE_SANDBOX": "false"}
    with pytest.raises(UserError, match="live orders at production"):
        environ(own, config="demo", market_spec="generated", symbols=["ZA"])


def test_bad_settings_end_a_process_before_it_writes(market: Path, tmp_path: Path) -> None:
    """A process with bad settings ends with exit code 2, three problems on stderr, and no folder."""
    done = command("day", "--market", str(market), "--state", str(tmp_path / "run"), **BAD)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("cannot be used: ") == len(BAD)
    assert not (tmp_path / "run").exists()


@pytest.mark.works(75)
@pytest.mark.days
@pytest.mark.timeout(1200)
def test_killed_and_interrupted_runs_leave_a_trail_and_room_for_the_next(
    half_day: DayResult, market: Path, tmp_path: Path
) -> None:
    """A killed run and an interrupted one can be read; the next is the undisturbed day, within 512 MB of its own."""
    folder, figures = tmp_path / "day", tmp_path / "figures.json"
    assert stopped(market, folder, signal.SIGKILL) == -signal.SIGKILL
    first = trail(folder)
    assert stopped(market, folder, signal.SIGINT) == 130
    assert trail(tmp_path / "day.interrupted-1") == first
    assert trail(folder)
    assert not (folder / "crash.txt").exists()
    words = ["day", "--market", str(market), "--state", str(folder), "--json", str(figures)]
    done = command(*words, PYTHONHASHSEED="4242")
    assert done.returncode == 0, done.stderr
    assert (folder / "audit.jsonl").read_bytes() == (half_day.folder / "audit.jsonl").read_bytes()
    again = loads(figures.read_bytes())
    assert kept(again) == kept(half_day.summary.plain())
    assert again["peak_rss_mb"] <= RSS_MB


def stopped(market: Path, folder: Path, kind: signal.Signals) -> int:
    """Start a day, send it a signal when something was bought, and give its exit code."""
    words = argv("day", "--market", str(market), "--state", str(folder))
    journal = folder / "journal.jsonl"
    earlier = journal.stat().st_ino if journal.exists() else None
    with subprocess.Popen(words, cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL) as process:  # noqa: S603
        deadline = time.monotonic() + PATIENCE_S
        while not _bought(journal, earlier):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                pytest.fail("the run did not buy anything")
            time.sleep(0.02)
        process.send_signal(kind)
        return process.wait(timeout=PATIENCE_S)


def _bought(journal: Path, earlier: int | None) -> bool:
    if not journal.exists() or journal.stat().st_ino == earlier:
        return False
    return b'"event":"fill"' in journal.read_bytes()


def trail(folder: Path) -> bytes:
    """Export and verify the audit trail of a run that did not finish, and give it."""
    exported = command("audit", "export", "--state", str(folder))
    assert exported.returncode == 0, exported.stderr
    verified = command("audit", "verify", "--state", str(folder))
    assert verified.returncode == 0, verified.stdout
    return (folder / "audit.jsonl").read_bytes()
