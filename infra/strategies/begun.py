"""`strategy new`: a strategy of one's own begins as a copy of one that works, with a test of its own beside it.

What can go wrong: a file of the owner's is written over; the name is no name, or is taken; half of the two files is
written. What this promises: nothing that is there is changed, and both files are there or none.
"""

import keyword
import re
import sys
from pathlib import Path

from infra.simulated_day.problems import UserError
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.strategies import files
from shared.strategies.form import TAKEN
from shared.strategies.registry import HERE, found, listed

MODULES = sys.stdlib_module_names | {"infra", "numpy", "pytest", "shared", "talib"}
"""A file of one of these names stands in the place of that module for whatever runs in its folder."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TEST = '''"""{name} keeps to its form, votes on a generated day, and says why when it does not."""

import sys
from pathlib import Path

from infra.strategies.views import views
from shared.domain.orders.signals import Vote
from shared.strategies.verdict import Reason

sys.path.insert(0, str(Path(__file__).parent))
import {name}  # noqa: E402


def test_it_votes_on_a_generated_day() -> None:
    """On the views of a generated day it votes at least once, in its own name."""
    verdicts = [{name}.vote(view, {name}.Parameters()) for view in views()]
    votes = [one for one in verdicts if isinstance(one, Vote)]
    assert votes, "it never votes: is it too strict, or has the market nothing of the kind?"
    assert {{one.strategy for one in votes}} == {{{name}.NAME}}


def test_it_says_why_it_does_not_vote() -> None:
    """What is no vote is one of its reasons."""
    verdicts = [{name}.vote(view, {name}.Parameters()) for view in views()]
    codes = {{one.code for one in verdicts if isinstance(one, Reason)}}
    assert codes <= {{one.code for one in {name}.REASONS}}
'''


@frozen
class Begun:
    """The two files that were written, and the strategy that they begin from."""

    strategy: Path
    test: Path
    model: str


def begin(name: str, *, model: str, folder: Path) -> Begun:
    """Write NAME.py and test_NAME.py into a folder, made if missing; raises UserError, then nothing is written."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in TAKEN or name.startswith("test_"):
        what = f"{name!r} cannot be the name of a strategy"
        raise UserError(what, remedy="use small letters, digits and _, a letter first, such as pull_back")
    if name in MODULES:
        what = f"{name} is the name of a module of Python, or of one that this system uses"
        raise UserError(what, remedy="choose another name: the file would hide that module")
    there = files.shipped(HERE)
    if name in there:
        raise UserError(f"a strategy named {name} ships already", remedy="choose another name, and copy it with --from")
    text = _copied(name, model, folder)
    paths = folder / f"{name}.py", folder / f"test_{name}.py"
    if kept := [path.name for path in paths if path.exists()]:
        what = f"{folder} has {' and '.join(kept)} already; nothing was written"
        raise UserError(what, remedy="choose another name, or move that file away")
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in zip(paths, (text, _TEST.format(name=name)), strict=True):
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(content)
    except OSError as problem:
        for path in written:
            path.unlink(missing_ok=True)
        why = (problem.strerror or type(problem).__name__).lower()
        what = f"{folder} cannot be written: {why}; nothing was left there"
        raise UserError(what, remedy="name a folder that is yours with STRATEGY_STRATEGIES") from None
    return Begun(strategy=paths[0], test=paths[1], model=model)


def _copied(name: str, model: str, folder: Path) -> str:
    try:
        known = found(str(folder) if folder.is_dir() else "")
    except ConfigError as wrong:
        raise UserError("; ".join(wrong.problems), remedy="correct that first") from None
    if model not in known:
        raise UserError(f"there is no strategy {model!r} to begin from", remedy=f"choose one of {listed(known)}")
    text = known[model].read_text(encoding="utf-8")
    mine = text.replace(f'NAME = "{model}"', f'NAME = "{name}"', 1)
    if mine == text:
        what = f"{known[model]} does not say NAME = {model!r} on a line of its own"
        raise UserError(what, remedy="begin from another strategy")
    return mine
