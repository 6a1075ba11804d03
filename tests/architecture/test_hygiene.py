"""What never belongs in a committed file: one machine's paths, a registry's address, unfinished work."""

import re
from collections.abc import Iterable

import pytest

from tests.architecture.files import SHIPPED_OR_RUN, Finding, report, texts

# Written in pieces, so that this file passes its own check.
FOLDERS_OF_ONE_MACHINE = tuple(f"/{name}/" for name in ("work", "root", "home", "Users"))
REGISTRY = (
    "py" + "pi.org",
    "python" + "hosted",
    "--index" + "-url",
    "--extra-index" + "-url",
    "--find" + "-links",
)
# May name the solver's switches, to turn them off.
MAY_NAME_SWITCHES = ("infra/tools/locks.py",)
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
NOT_WRITTEN = "NotImplemented" + "Error"


def strangers(path: str, text: str, words: Iterable[str]) -> list[Finding]:
    """Return each line that holds one of the words."""
    return [
        Finding(path=path, line=number, sentence=f"contains {word}")
        for number, line in enumerate(text.splitlines(), 1)
        for word in words
        if word in line
    ]


def unfinished(path: str, text: str) -> list[Finding]:
    """Return each line that announces work which is not done."""
    return [
        Finding(path=path, line=number, sentence="is unfinished")
        for number, line in enumerate(text.splitlines(), 1)
        if UNFINISHED.search(line) or NOT_WRITTEN in line
    ]


def test_no_path_of_one_machine() -> None:
    """No file names a folder that exists on one machine only."""
    found = [one for path, text in texts().items() for one in strangers(path, text, FOLDERS_OF_ONE_MACHINE)]
    assert not found, report(found)


def test_no_registry_address() -> None:
    """No file says where packages come from: that is each machine's own setting."""
    sources = {path: text for path, text in texts().items() if path not in MAY_NAME_SWITCHES}
    found = [one for path, text in sources.items() for one in strangers(path, text, REGISTRY)]
    assert not found, report(found)


def test_project_files_hold_no_address() -> None:
    """Lock and project files contain no address at all."""
    sources = texts(suffix=".toml") | texts(suffix="requirements.txt") | texts("requirements")
    found = [one for path, text in sources.items() for one in strangers(path, text, ("://",))]
    assert sources
    assert not found, report(found)


def test_nothing_is_unfinished() -> None:
    """What ships and what runs it holds no note about work left over."""
    sources = texts(*SHIPPED_OR_RUN, suffix=".py")
    found = [one for path, text in sources.items() for one in unfinished(path, text)]
    assert not found, report(found)


@pytest.mark.parametrize("word", [*FOLDERS_OF_ONE_MACHINE, *REGISTRY])
def test_seeded_stranger_is_found(word: str) -> None:
    """A seeded path or address is found with its line."""
    found = strangers("seeded.txt", f"first\nsecond {word} more\n", [*FOLDERS_OF_ONE_MACHINE, *REGISTRY])
    assert 2 in [one.line for one in found]


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", NOT_WRITTEN])
def test_seeded_unfinished_work_is_found(word: str) -> None:
    """A seeded note about unfinished work is found."""
    assert unfinished("seeded.py", f"x = 1  # {word}: later")
    assert not unfinished("seeded.py", "shackle = 'mastodon'")
