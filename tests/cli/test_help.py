"""The help of each command, its version and its completion: found, read at 80 columns, and there at once."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from infra.cli import release
from infra.cli.helps import GROUPS, arranged, named
from infra.cli.main import app
from tests.architecture.files import ROOT
from tests.infra.checkout import git

PROGRAM = ("-m", "infra.cli.main")


@cache
def _help(words: str, columns: int = 80, flag: str = "--help") -> str:
    """Give the help of a command, as a terminal of so many columns shows it."""
    return CliRunner().invoke(app, [*words.split(), flag], env={"COLUMNS": str(columns)}).stdout


def _all(here: Any, *before: str) -> Iterator[tuple[str, bool]]:
    """Give the words of every command and whether it has commands itself, the command line included."""
    own = getattr(here, "commands", {})
    yield " ".join(before), bool(own)
    for name, one in own.items():
        yield from _all(one, *before, name)


EVERY = dict(_all(get_command(app)))
COMMANDS = sorted(words for words, has_commands in EVERY.items() if not has_commands)


def _work(*words: str) -> tuple[float, str]:
    """Give the CPU seconds of a new process of Python, and what it prints: work, not waiting, on a busy machine."""
    before = os.times()
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system,
        done.stdout,
    )


def test_help_is_fast_and_names_every_command() -> None:
    """A new process shows help with at most three times the work of importing the libraries that print it."""
    ours, bare = [], []
    for _ in range(3):
        cpu_s, shown = _work(*PROGRAM, "--help")
        ours.append(cpu_s)
        bare.append(_work("-c", "import typer.rich_utils")[0])
        for command in (words for words in EVERY if words and " " not in words):
            assert f"│ {command} " in shown
    assert min(ours) < 3 * min(bare)


def test_every_command_stands_in_one_group() -> None:
    """The first help lists the commands by what they are for, each once; one without a group does not start."""
    assert len(set(sum(GROUPS.values(), ()))) == len(sum(GROUPS.values(), ()))
    panels = re.findall(r"╭─ (\w+) ─+╮\n(.*?)╰─", _help(""), re.DOTALL)
    found = {title: re.findall(r"^│ (\S+) ", rows, re.MULTILINE) for title, rows in panels if title != "Options"}
    assert list(found) == list(GROUPS)
    for title, names in found.items():
        assert set(names) == set(GROUPS[title]) & set(EVERY)
    stray = typer.Typer()
    stray.command("stray")(lambda: None)
    with pytest.raises(KeyError, match="stray"):
        arranged(stray)
    assert named(stray.registered_commands[0]) == "stray"


@pytest.mark.parametrize("words", COMMANDS)
def test_the_help_of_each_command_has_an_example(words: str) -> None:
    """Who is in a hurry finds one line to type, and what a command without --state reaches is said as it is."""
    shown = " ".join(_help(words, columns=200).replace("│", " ").split())
    assert f"`strategy {words}" in shown or f" strategy {words}`" in shown
    assert ("without it every one that runs" in shown) is (words in {"halt", "reduce", "status"})


@pytest.mark.parametrize("words", sorted(set(EVERY) - set(COMMANDS)))
def test_the_help_of_each_group_has_an_example(words: str) -> None:
    """A group of commands, and the command line itself, show one of their commands as it is typed."""
    assert re.search(rf"`strategy {words}".rstrip() + " [a-z]+", _help(words, columns=200))


STAND_INS = {
    "ORDER": "A1", "NUMBER": "3", "SYMBOL": "IBM", "NAME": "mine", "FOLDER": "folder", "FILE.csv": "file.csv",
    "FILE.toml": "file.toml", "FILE.csv.gz": "file.csv.gz", "...": "a reason",
}  # fmt: skip
"""What an example says in the place of what only its reader knows -> such a thing."""
WRITTEN = {"runs/0001", "build", "days", "generated"}
"""The folders and markets that an example may name: another example makes them, or they are always there."""


def _examples(shown: str) -> list[list[str]]:
    """Give the words of each example in a help, without `strategy`."""
    text = " ".join(shown.replace("│", " ").split())
    return [shlex.split(one) for one in re.findall(r"`(?:EDITOR=nano )?strategy ([^`]+)`", text)]


def _unusable(example: list[str]) -> list[str]:
    """Say what is wrong with an example that is pasted: not understood, or something that its reader does not have."""
    at = 0
    command: Any = get_command(app)
    while at < len(example) and hasattr(command, "commands"):
        command, at = command.commands.get(example[at]), at + 1
    if command is None:
        return [f"no command: {' '.join(example)}"]
    try:
        command.make_context("strategy", [STAND_INS.get(word, word) for word in example[at:] if word != "-h"])
    except Exception as wrong:  # noqa: BLE001 - whatever the command line refuses
        return [f"{' '.join(example)}: {type(wrong).__name__}"]
    known = {*STAND_INS, *WRITTEN, *EVERY}
    return [one for one in example[at:] if re.search(r"[./]|^[A-Z\d]{5,}$", one) and not _plain(one, known)]


def _plain(word: str, known: set[str]) -> bool:
    return word in known or re.fullmatch(r"[\d.:]+|limits\.\w+|BRK\.B", word) is not None


@pytest.mark.parametrize("words", sorted(EVERY))
def test_each_example_works_when_it_is_pasted(words: str) -> None:
    """The command line takes each example of a help, in which what only its reader knows is a word in capitals."""
    assert [wrong for one in _examples(_help(words, columns=200)) for wrong in _unusable(one)] == []


@pytest.mark.parametrize(
    "example",
    ["explain IJIXF", "config load mine.toml", "backtest --data ../data", "halt --now", "stop", "up --speed x"],
)
def test_an_example_that_fails_is_found(example: str) -> None:
    """One that names its author's order or file, an unknown command or option, or a wrong value is told."""
    assert _unusable(example.split())


PROGRAMMERS = ("brokersim", "topology", "package", "record", "audit", "dead-letters")
HARD = (
    "token", "verifier", "stdin", "audit trail", "scheduler", "entry", "entries", "exits", "flatten", "cool-down",
    "redacted", "capture", "throttle", "threshold", "basis points", "reachability", "vote", "votes", "vault",
    "the books", "instants", "seed", "consumer", "subscription", "revoked", "signal",
)  # fmt: skip
"""Words for which the glossary was needed; an option or a command may be called so."""


def _hard(shown: str) -> list[str]:
    """Name the words of a help that have to be looked up; names of commands, options and examples are none."""
    text = re.sub(r"Usage:.*|`[^`]*`|etrade-consumer|(?<![\w])--[\w-]+", " ", shown)
    return [one for one in HARD if re.search(rf"(?<![\w-]){one}(?![\w-])", text, re.IGNORECASE)]


@pytest.mark.parametrize("words", sorted(one for one in EVERY if one.split(" ")[0] not in PROGRAMMERS))
def test_no_glossary_is_needed_for_a_help(words: str) -> None:
    """The help of what an owner uses has none of the words that had to be looked up."""
    assert _hard("\n".join(re.sub(r"^│ [a-z-]+ ", "", line) for line in _help(words, columns=200).splitlines())) == []


def test_a_word_for_the_glossary_is_found() -> None:
    """A hard word in a sentence is told, in the name of an option it is not."""
    assert _hard("Send no exits: the token is kept. `strategy token` --exits-too") == ["token", "exits"]


@pytest.mark.parametrize("words", COMMANDS)
def test_the_help_of_each_command_fills_the_terminal(words: str) -> None:
    """At 80 columns no line of a help's text ends before the next word would no longer have had its place."""
    text = _help(words).partition("╭─")[0].partition("[OPTIONS]")[2].splitlines()[1:]
    broken = [
        line for line, after in pairwise(one.strip() for one in text)
        if line and after and len(line) + 1 + len(after.split()[0]) <= 78
    ]  # fmt: skip
    assert broken == []


def _cut(shown: str, command: Any) -> list[str]:
    """Name what a help does not show whole: a line too long for 80 columns, an option, or a choice in pieces."""
    parts: list[str] = []
    for one in command.params:
        parts += [name for name in (*one.opts, *one.secondary_opts) if name.startswith("-")]
        parts += [str(choice) for choice in getattr(one.type, "choices", ()) if one.metavar is None]
    return [
        *(line for line in shown.splitlines() if len(line) > 80 or "…" in line),
        *(one for one in parts if not re.search(rf"(?<!\w){re.escape(one)}(?!\w)", shown)),
    ]


def _command(words: str) -> Any:
    """Give the command behind the words."""
    found: Any = get_command(app)
    for word in words.split():
        found = found.commands[word]
    return found


@pytest.mark.parametrize("words", sorted(EVERY))
def test_the_help_of_each_command_has_its_place_in_80_columns(words: str) -> None:
    """At 80 columns nothing is cut and no option is broken; at 40 that would be found."""
    assert _cut(_help(words), _command(words)) == []


def test_a_help_that_is_cut_is_found() -> None:
    """A terminal too narrow for the options, and a line too long, are named."""
    assert _cut(_help("up", columns=30), _command("up"))
    assert _cut("x" * 81, _command("token"))


@pytest.mark.parametrize("words", sorted(EVERY))
def test_the_short_word_for_help_is_help(words: str) -> None:
    """`-h` shows what `--help` shows, and no switch is said to take a value."""
    assert _help(words, flag="-h") == _help(words)
    assert "<bool>" not in _help(words)


def _loaded(*words: str, **environment: str) -> list[str]:
    """Name what a run of the command line imported that is heavy: charts, numbers, functions, what the scan has."""
    heavy = "{'plotly', 'numpy', 'flask', 'requests', 'greenlet', 'jinja2', 'sqlite3', 'shared.domain.market.daybook'}"
    code = f"""
import json, sys
from infra.cli.main import main
sys.argv = ["strategy", *{list(words)}]
try:
    main()
except SystemExit:
    print(json.dumps(sorted({heavy} & set(sys.modules))), file=sys.stderr)
"""
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    found: list[str] = json.loads(done.stderr.splitlines()[-1])
    return found


@pytest.mark.parametrize("words", [("--help",), ("halt", "-h"), ("backtest", "-h"), ("--version",)])
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    """A help and the version bring in neither charts nor numbers nor functions, nor what the scan is made of."""
    assert _loaded(*words) == []


def _asked(shell: str, **environment: str) -> str:
    """Give what the command line answers a shell that completes."""
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, *PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "_STRATEGY_COMPLETE": f"complete_{shell}", **environment},
    )  # fmt: skip
    return done.stdout


def test_a_shell_completes_commands_and_options() -> None:
    """bash and zsh are told the commands, options and choices that begin as typed, without a heavy import."""
    typed = {"COMP_WORDS": "strategy re", "COMP_CWORD": "1"}
    assert set(_asked("bash", **typed).split()) == {name for name in EVERY if name.startswith("re") and " " not in name}
    assert _asked("bash", COMP_WORDS="strategy halt --exi", COMP_CWORD="2").split() == ["--exits-too"]
    assert _asked("bash", COMP_WORDS="strategy up --mode ", COMP_CWORD="3").split() == ["paper", "live"]
    assert '"halt":' in _asked("zsh", _TYPER_COMPLETE_ARGS="strategy ha")
    assert _loaded(_STRATEGY_COMPLETE="complete_bash", **typed) == []


def test_bash_completes_as_the_readme_switches_it_on(tmp_path: Path) -> None:
    """In a bash that read what `strategy` gives it, the word that was begun is completed to the command."""
    (tmp_path / "strategy").write_text(f'#!/bin/sh\nexec "{sys.executable}" {" ".join(PROGRAM)} "$@"\n')
    (tmp_path / "strategy").chmod(0o700)
    typed = 'COMP_WORDS=(strategy resu); COMP_CWORD=1; _strategy_completion strategy; echo "${COMPREPLY[*]}"'
    done = subprocess.run(  # noqa: S603 - our own module
        ["/bin/bash", "--norc", "-c", f'eval "$(_STRATEGY_COMPLETE=source_bash strategy)"; {typed}'], cwd=ROOT,
        capture_output=True, text=True, check=True, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stdout == "resume\n"


def test_the_version_is_the_package_s_and_the_commit_s() -> None:
    """`strategy --version` is one line with the version of pyproject.toml and, in a checkout, its commit."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == release.PACKAGE
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.stdout.count("\n")) == (0, 1)
    assert shown.stdout.startswith(f"strategy {project['version']}")
    assert (", commit " in shown.stdout) == ((ROOT / ".git").exists() and shutil.which("git") is not None)


def test_the_version_names_the_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    """Outside a checkout no commit is named; in one it is, and a changed file is told."""
    plain = release.said(tmp_path)
    assert "commit" not in plain
    (tmp_path / "file").write_text("as it was")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    assert re.fullmatch(re.escape(plain) + r", commit [0-9a-f]{7,}", release.said(tmp_path))
    (tmp_path / "file").write_text("as it is")
    assert release.said(tmp_path).endswith(", changed since")
