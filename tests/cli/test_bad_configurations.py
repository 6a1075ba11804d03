"""A configuration that cannot be used stops what starts something, in one message, and nothing that looks or stops."""

import json
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from infra.cli.exits import NOT_RUNNING
from infra.simulated_day.environment import environ
from infra.simulated_day.problems import UserError
from shared.settings import CONFIGS
from shared.strategies import config
from shared.topology import TOPOLOGY
from tests.operations.desks import left_desk, strategy, write_card

ROOT = Path(__file__).resolve().parents[2]
CONTRADICTION = "configuration demo: exits.rsi_min must be below signals.rsi_min, or an entry is an exit at once"
_ROOMS = """
import sys
from shared.wiring import chosen
print(chosen.problems({"STRATEGY_CONFIG": "demo", "STRATEGY_WATCH_LIST": "!", "STRATEGY_CAPITAL_USD": "1000"}))
"""


def _checkout(folder: Path, demo: str) -> Path:
    """Give a copy of the program in which the configuration `demo` says something else."""
    for room in ("shared", "infra"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("venv"))
    (folder / "shared" / "strategies" / "config" / "demo.toml").write_text(demo)
    return folder


@pytest.fixture(scope="module")
def contradicting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a program whose `demo` contradicts itself."""
    return _checkout(tmp_path_factory.mktemp("contradicting"), "[signals]\nrsi_min = 40\n")


def _run(checkout: Path, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    given = {name: value for name, value in os.environ.items() if not name.startswith(("STRATEGY_", "ETRADE_"))}
    call = [sys.executable, *words]
    return subprocess.run(  # noqa: S603 - our own program
        call, cwd=checkout, env={**given, **environ, "COLUMNS": "200"}, capture_output=True, text=True, check=False
    )


def test_the_names_are_the_files() -> None:
    """Each configuration of the one list is a file beside the others, and each file is in the list."""
    folder = resources.files("shared.strategies.config")
    assert sorted(CONFIGS) == sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if ".toml" in one.name)
    assert [config.problems_of(name) for name in (*CONFIGS, "mine")] == [()] * 3


@pytest.mark.parametrize("words", [("demo",), ("day", "--market", "generated"), ("up",)])
def test_nothing_starts(contradicting: Path, words: tuple[str, ...]) -> None:
    """What starts something is refused with code 2, one message with all that is wrong, and no folder."""
    done = _run(contradicting, "-m", "infra.cli.main", *words, "--state", "run", ETRADE_RATE_LIMIT="0")
    assert (done.returncode, done.stderr.count("Error: ")) == (2, 1), done.stderr
    for part in (f"{CONTRADICTION} (--config demo)", "ETRADE_RATE_LIMIT='0'"):
        assert part in done.stderr
    assert "STRATEGY_CONFIG" not in done.stderr
    assert not (contradicting / "run").exists()


def test_a_configuration_that_is_no_toml_is_told(tmp_path: Path) -> None:
    """A file that cannot be read as TOML is named, without a traceback, and all other problems come with it."""
    checkout = _checkout(tmp_path, "[limits\n")
    done = _run(checkout, "-m", "infra.cli.main", "up", "--state", "run", ETRADE_RATE_LIMIT="0")
    assert (done.returncode, "demo.toml cannot be read" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_every_function_refuses_it(contradicting: Path) -> None:
    """What a function asks before it starts names the configuration's problem beside those of the settings."""
    done = _run(contradicting, "-c", _ROOMS)
    assert CONTRADICTION in done.stdout
    assert "STRATEGY_WATCH_LIST has '!'" in done.stdout
    sources = [(ROOT / "shared" / "wiring" / f"{one.name}.py").read_text() for one in TOPOLOGY.functions]
    assert all("room(platform)" in source for source in sources)


def test_an_unknown_configuration_is_named_as_it_was_given(tmp_path: Path) -> None:
    """`--config mine` is refused by its name, and no variable is."""
    for words in (("day", "--market", "generated"), ("up",)):
        done = strategy(*words, "--config", "mine", "--state", str(tmp_path / "run"))
        assert done.exit_code == 2
        assert "'mine' is not one of default, demo, and no .toml file" in done.output
        assert "STRATEGY_CONFIG" not in done.output


def test_the_owner_looks_and_stops_all_the_same(
    contradicting: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`status`, `reduce` and `halt` work under a bad configuration, and name what is wrong on the side."""
    desk = Path(shutil.copytree(left_desk(tmp_path_factory), tmp_path / "desk"))
    for word, code in (("status", 0), ("reduce", NOT_RUNNING), ("halt", NOT_RUNNING)):
        done = _run(contradicting, "-m", "infra.cli.main", word, "--json", "--state", str(desk))
        assert done.returncode == code, done.stderr
        assert f"It would not start with this: {CONTRADICTION}." in done.stderr
    halted = _run(contradicting, "-m", "infra.cli.main", "status", "--json", "--state", str(desk))
    assert json.loads(halted.stdout)["control"]["state"] == "HALTED"
    write_card(desk, broker="sandbox", config="")
    words = ("halt", "--state", str(desk))
    done_here = strategy(*words, STRATEGY_CONFIG="mine", STRATEGY_WATCH_LIST="A!")
    assert done_here.exit_code == NOT_RUNNING
    for part in ("STRATEGY_CONFIG='mine'", "has 'A!'"):
        assert part in done_here.stderr


def test_a_market_s_wrong_symbols_are_the_market_s() -> None:
    """Symbols of a recorded day that cannot be traded are named with --market, and no variable is."""
    with pytest.raises(UserError) as refused:
        environ({}, config="demo", market_spec="x.csv", symbols=["AIG", "A/B", "ibm"])
    for part in ("--market has 'A/B', which cannot be used", "--market names 'ibm': write symbols in capitals"):
        assert part in refused.value.what
    assert "STRATEGY_WATCH_LIST" not in refused.value.what
