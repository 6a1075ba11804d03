"""The owner changes what the system trades by with one command, and a wrong one changes nothing."""

import json
import re
import stat
import sys
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pytest

from infra.cli import versions
from infra.cli.settings_said import sentence
from infra.cli.versions import tell
from infra.one_machine.sqlite_store import SqliteStore
from infra.operations.configuring import Shown, of_text, text_of
from infra.running import wanted
from infra.simulated_day.problems import UserError
from shared.domain.orders.versions import flat
from shared.ports import Put
from shared.settings import CONFIGS
from shared.strategies import registry
from shared.strategies.config import load
from tests.operations.desks import answer, refused, strategy, write_card


@pytest.fixture
def desk(evening: Path) -> Path:
    """Give a desk in the evening: in a session some settings wait for the next one."""
    return evening


def _here(desk: Path) -> tuple[str, ...]:
    return ("--state", str(desk))


def test_a_setting_that_was_changed_is_shown_with_its_version(desk: Path) -> None:
    """`config set` writes version 1, which `config show` then shows, over the file that the system was started with."""
    assert answer("config", "show", *_here(desk))["number"] == 0
    done = answer("config", "set", "limits.positions_max", "5", *_here(desk))
    shown = answer("config", "show", *_here(desk))
    assert done == shown
    assert (shown["number"], shown["settings"]["limits.positions_max"]) == (1, "5")


@pytest.mark.parametrize("columns", ["60", "80"])
def test_every_setting_is_shown_by_its_whole_name(desk: Path, columns: str) -> None:
    """A narrow terminal cuts no name that `config set` takes, with or without a default or what waits below it."""
    names = answer("config", "show", *_here(desk))["settings"]
    shown = strategy("config", "show", *_here(desk), COLUMNS=columns).stdout
    assert set(names) <= set(shown.split())
    assert "demo has" not in shown
    assert "WAITS" not in shown
    tightened = strategy("config", "set", "limits.positions_max", "5", *_here(desk)).stdout
    assert "LOOSENS" not in tightened
    shown = strategy("config", "show", *_here(desk), COLUMNS=columns).stdout
    assert set(names) <= set(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    assert ("limits.positions_max = 5\n    At most so many positions are held at once.\n    demo has 10.\n") in shown
    loosened = strategy("config", "set", "limits.positions_max", "50", *_here(desk)).stdout
    assert (
        "limits.positions_max: 5 -> 50, in force from the next minute; this LOOSENS a limit, or may do so." in loosened
    )


def test_what_waits_is_said_below_its_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """A change that waits stands below the setting in force, with when it counts and that it loosens."""
    name = "limits.positions_max"
    shown = Shown(
        number=2, base="default", settings={name: "5"}, waiting={name: "50"}, defaults={name: "10"}, ceilings={}
    )  # fmt: skip
    tell(shown)
    assert (
        f"{name} = 5\n    At most so many positions are held at once.\n    default has 10.\n"
        "    WAITS: 50 from the next session; this LOOSENS a limit, or may do so.\n"
    ) in capsys.readouterr().out


@pytest.mark.parametrize("name", CONFIGS)
def test_every_setting_that_ships_has_a_sentence(name: str) -> None:
    """Each says in one sentence what it means, with its unit spelled out; one of an own strategy names its file."""
    for setting in flat(registry.completed(load(name), "")):
        said = sentence(setting)
        assert said.endswith(".")
        assert re.search(r"[.] [A-Z]", said) is None
        for ending, unit in (("_pct", "percent"), ("_bps", "hundredths of a percent"), ("_usd", "USD")):
            assert unit in said or not setting.endswith(ending)
    assert "of the strategy mine; its file" in sentence("strategies.mine.rise_pct")
    with pytest.raises(KeyError):
        sentence("limits.unheard_of")


def test_a_name_that_is_no_setting_is_refused_with_what_is_near(desk: Path) -> None:
    """Who leaves the group out, or mistypes, is told which settings there are, and nothing is written."""
    refused(strategy("config", "set", "positions_max", "5", *_here(desk)), "you may mean limits.positions_max.")
    refused(strategy("config", "set", "limits.positions", "5", *_here(desk)), "limits.positions_max")
    refused(strategy("config", "set", "limits.position_max", "5", *_here(desk)), "you may mean limits.positions_max")
    several = strategy("config", "set", "risk.stop", "5", *_here(desk))
    refused(several, "you may mean one of ")
    assert "?" not in several.stderr
    assert answer("config", "show", *_here(desk))["number"] == 0


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("limits.positions_max", "-3", "must lie between 1 and 100, not -3"),
        ("limits.positions_max", "2.5", "must be a whole number, not 2.5"),
        ("limits.positions_max", "500", "must lie between 1 and 100"),
        ("limits.positions_max", "five", "must be a whole number"),
        ("limits.daily_loss_pct", "NaN", "must be a decimal number"),
        ("account.day_trade_rule", "never", "must be one of legacy_pdt"),
        ("sizing.base_pct", "36", "must not exceed sizing.max_pct"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_and_the_last_good_version_stays(
    desk: Path, name: str, value: str, why: str
) -> None:
    """Out of its range, of another type or against another setting: the sentence says so, and nothing is written."""
    answer("config", "set", "limits.positions_max", "5", *_here(desk))
    refused(strategy("config", "set", name, value, *_here(desk)), why, "nothing was changed")
    shown = answer("config", "show", *_here(desk))
    assert (shown["number"], shown["settings"]["limits.positions_max"]) == (1, "5")


def test_what_is_above_a_ceiling_is_refused(desk: Path) -> None:
    """The environment's ceiling is named, whatever the range of the setting allows."""
    done = strategy("config", "set", "limits.positions_max", "9", *_here(desk), STRATEGY_MOST_POSITIONS="4")
    refused(done, "limits.positions_max may be 4 at the most")


def test_history_and_rollback(desk: Path) -> None:
    """Every version says what it changed, and going back to one, or to the file, is a version of its own."""
    for value in ("5", "4"):
        answer("config", "set", "limits.positions_max", value, *_here(desk))
    assert answer("config", "rollback", "1", *_here(desk))["settings"]["limits.positions_max"] == "5"
    assert answer("config", "rollback", "0", *_here(desk))["settings"]["limits.positions_max"] == "10"
    rows = answer("config", "history", *_here(desk))
    assert [row["changes"] for row in rows] == [
        ["limits.positions_max: 10 -> 5"], ["limits.positions_max: 5 -> 4"],
        ["limits.positions_max: 4 -> 5"], ["limits.positions_max: 5 -> 10"],
    ]  # fmt: skip
    assert answer("config", "diff", "2", *_here(desk)) == ["limits.positions_max: 4 -> 10"]
    refused(strategy("config", "rollback", "7", *_here(desk)), "there is no version 7")
    refused(strategy("config", "rollback", "4", *_here(desk)), "says already")


def _editor(folder: Path, **settings: str) -> str:
    """Give an editor that puts other values behind some names."""
    changes = " ".join(f"-e 's/^{name} = .*/{name} = {value}/'" for name, value in settings.items())
    path = folder / "editor"
    path.write_text(f'#!/bin/sh\nsed -i {changes} "$1"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_an_edited_text_is_one_version(desk: Path, tmp_path: Path) -> None:
    """What the editor leaves is taken whole, with every change in one version."""
    editor = _editor(tmp_path, positions_max="3", trail_pct="0.5")
    done = strategy("config", "edit", "--json", *_here(desk), EDITOR=editor, VISUAL=editor)
    assert done.exit_code == 0, done.stderr
    shown = json.loads(done.stdout)["settings"]
    assert (shown["limits.positions_max"], shown["exits.trail_pct"]) == ("3", "0.5")


def test_a_text_that_is_refused_is_kept(desk: Path, tmp_path: Path) -> None:
    """Every problem of an edited text is named at once, nothing is written, and the text is not lost."""
    editor = _editor(tmp_path, positions_max="999", trail_pct="99")
    done = strategy("config", "edit", *_here(desk), EDITOR=editor, VISUAL=editor, TMPDIR=str(tmp_path))
    refused(done, "limits.positions_max must lie", "exits.trail_pct must lie", "your text is kept in")
    (kept,) = (one for one in (Path(word.rstrip(":")) for word in done.stderr.split()) if one.suffix == ".toml")
    assert "positions_max = 999" in kept.read_text()
    kept.unlink()
    assert answer("config", "show", *_here(desk))["number"] == 0


def _of_an_earlier_release(desk: Path) -> None:
    """Leave a version as a release wrote it that knew no group `quotes` and one setting more of another."""
    answer("config", "set", "limits.positions_max", "5", *_here(desk))
    store = SqliteStore(desk / "state.db")
    for path in ("configs/current", "configs/000001"):
        document = store.get(path)
        assert document is not None
        newest = document.data.get("newest", document.data)
        del newest["config"]["quotes"]
        newest["config"]["limits"]["gone"] = 1
        store.commit([Put(path, document.data)])
    store.close()


def test_a_version_that_cannot_be_read_is_shown_as_far_as_it_is_known_and_written_anew(desk: Path) -> None:
    """What an earlier release wrote blocks no command: what is known of it counts, and is told to be written anew."""
    _of_an_earlier_release(desk)
    shown = strategy("config", "show", "--json", *_here(desk))
    settings = json.loads(shown.stdout)["settings"]
    assert (settings["limits.positions_max"], settings["quotes.missing_after_s"]) == ("5", "30")
    assert "cannot be read, and nothing is bought by it" in shown.stderr
    done = answer("config", "set", "limits.entries_per_day", "7", *_here(desk))
    assert (done["number"], done["settings"]["limits.positions_max"]) == (2, "5")
    again = strategy("config", "show", "--json", *_here(desk))
    assert (json.loads(again.stdout)["number"], again.stderr) == (2, "")
    assert [line["number"] for line in answer("config", "history", *_here(desk))] == [2]


def test_a_version_that_cannot_be_read_is_written_anew_as_it_stands(desk: Path, tmp_path: Path) -> None:
    """Who looks at the whole of it in the editor and saves it has a version that counts, changed or not."""
    _of_an_earlier_release(desk)
    editor = _editor(tmp_path, entries_per_day="40")
    done = answer("config", "edit", *_here(desk), EDITOR=editor, VISUAL=editor)
    assert (done["number"], done["settings"]["limits.positions_max"]) == (2, "5")


def test_what_changed_while_the_editor_was_open_is_not_undone(desk: Path, tmp_path: Path) -> None:
    """A change by another command meanwhile is named, nothing is written over it, and the text is kept."""
    editor = _editor(tmp_path, trail_pct="0.5")
    meanwhile = tmp_path / "meanwhile"
    words = "config set limits.positions_max 5"
    meanwhile.write_text(
        f"#!/bin/sh\n{sys.executable} -m infra.cli.main {words} --state {desk} >/dev/null\n{editor} $1\n"
    )
    meanwhile.chmod(0o700)
    done = strategy("config", "edit", *_here(desk), EDITOR=str(meanwhile), VISUAL=str(meanwhile), TMPDIR=str(tmp_path))
    refused(done, "another command changed the configuration while you edited", "your text is kept in")
    shown = answer("config", "show", *_here(desk))
    assert (shown["number"], shown["settings"]["limits.positions_max"]) == (1, "5")


def test_a_file_is_taken_as_one_version(desk: Path, tmp_path: Path) -> None:
    """`config load` writes what a file says over `default` as one version, and a wrong file changes nothing."""
    mine = tmp_path / "mine.toml"
    load_it = ("config", "load", str(mine), "--yes", *_here(desk))
    mine.write_text("[limits]\npositions_max = 3\n[exits]\ntrail_pct = 0.5\n")
    shown = answer(*load_it)
    assert (shown["number"], shown["settings"]["limits.positions_max"]) == (1, "3")
    assert shown["settings"]["exits.trail_pct"] == "0.5"
    refused(strategy(*load_it), "says already")
    mine.write_text("[limits]\npositions_max = 999\nspeed = 1\n")
    refused(strategy(*load_it), "must lie between 1 and 100", "is not a setting")
    assert answer("config", "show", *_here(desk))["number"] == 1


def test_a_file_changes_nothing_before_its_owner_has_seen_what(desk: Path, tmp_path: Path) -> None:
    """Each setting that would change against what is in force is named, also where the file leaves it to `default`."""
    mine = tmp_path / "mine.toml"
    mine.write_text("[limits]\npositions_max = 4\n")
    before = answer("config", "show", *_here(desk))["settings"]
    done = strategy("config", "load", str(mine), *_here(desk))
    refused(done, "limits.positions_max: 10 -> 4", "signals.min_votes: 1 -> 2", "say --yes")
    after = answer("config", "show", *_here(desk))
    assert (after["number"], after["settings"]) == (0, before)
    named = done.stderr.partition(" would change ")[2].partition(" settings: ")[0]
    shown = answer("config", "load", str(mine), "--yes", *_here(desk))["settings"]
    assert int(named) == sum(shown.get(name) != before.get(name) for name in {*shown, *before})


@pytest.mark.parametrize("agrees", [True, False])
def test_a_file_is_taken_once_its_owner_agrees(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, agrees: bool
) -> None:  # fmt: skip
    """On a terminal the changes are listed, a line each, and it is asked; only a yes writes the version."""
    mine = tmp_path / "mine.toml"
    mine.write_text("[limits]\npositions_max = 4\n")
    monkeypatch.setattr("sys.stdin", StringIO("y\n" if agrees else "n\n"))
    with nullcontext() if agrees else pytest.raises(UserError, match="nothing was changed"):
        versions.load(mine, "local", desk, yes=False, json=False, terminal=True)
    assert "\nlimits.positions_max: 10 -> 4\n" in capsys.readouterr().err
    assert answer("config", "show", *_here(desk))["number"] == int(agrees)


@pytest.mark.parametrize("script", ["exit 1", "sed -i 's/^trail_pct.*/trail_pct = 0.5/' \"$1\"; exit 1"])
def test_an_editor_that_fails_loses_no_text(desk: Path, tmp_path: Path, script: str) -> None:
    """An editor that ends with a failure is named in a sentence, and what it saved is kept in a file."""
    path = tmp_path / "failing"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    done = strategy("config", "edit", *_here(desk), EDITOR=str(path), VISUAL=str(path), TMPDIR=str(tmp_path))
    refused(done, "the editor failed", "your text is kept in" if "sed" in script else "nothing was written")
    assert answer("config", "show", *_here(desk))["number"] == 0


def test_a_change_says_what_changed_and_from_when(desk: Path) -> None:
    """After the close a loosening counts at once, and the sentence says old, new and when."""
    done = strategy("config", "set", "limits.daily_loss_pct", "6", *_here(desk))
    assert "limits.daily_loss_pct: " in done.stdout
    assert "-> 6" in done.stdout


@pytest.mark.parametrize("name", CONFIGS)
def test_what_ships_comes_back_from_its_text(name: str) -> None:
    """A configuration that is written for the editor is read back as the same."""
    assert of_text(text_of(load(name))) == load(name)


def test_it_is_shown_in_words(desk: Path) -> None:
    """Without --json a block shows each setting, and a change says which version it is."""
    done = strategy("config", "set", "limits.positions_max", "5", *_here(desk))
    assert "Version 1 is written." in done.stdout
    shown = strategy("config", "show", *_here(desk))
    assert "limits.positions_max = 5\n" in shown.stdout
    assert "limits.order_usd_max = 50000\n    One order is worth at most this, in USD.\n" in shown.stdout
    assert "No highest values are set here" in shown.stderr
    assert "limits.positions_max: 10 -> 5" in strategy("config", "history", *_here(desk)).stdout
    assert strategy("config", "diff", "1", *_here(desk)).stdout == "Nothing differs from version 1.\n"


def test_symbols_and_capital_are_shown_with_their_source(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a system at E*TRADE it says which symbols and capital the next start takes, and what said so."""
    write_card(desk, broker="sandbox", config="default")
    wanted.keep(desk, {wanted.WATCH_LIST: "AIG,IBM", wanted.CAPITAL: "2500"})
    monkeypatch.setenv(wanted.CAPITAL, "900")
    shown = strategy("config", "show", *_here(desk)).stdout
    assert f"Symbols: AIG,IBM, from {desk / wanted.FILE};" in shown
    assert f"Capital, USD: 900, from the variable {wanted.CAPITAL};" in shown
