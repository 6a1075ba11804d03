"""`strategy check`: whether a strategy may be run, found by its text and by asking it in a process of its own.

What can go wrong: the file is changed while it is checked (what passes is what was read first: the register has its
hash, and another file has another); the process hangs or dies (that is a finding). What this promises: a strategy
passes with no finding only, and what passed is entered in the register beside its file (`infra.archives.passed`).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.archives import passed
from infra.simulated_day.files import write_atomically
from infra.simulated_day.problems import UserError
from infra.strategies import purity
from infra.strategies.begun import MODULES
from shared.errors import ConfigError
from shared.frozen import frozen
from shared.strategies import registry

LASTS_S = 120
ROOT = Path(__file__).parents[2]
"""Where a process of a check is started: Python looks for modules there first, and not where the owner stands."""
SEEDS = tuple(str(seed) for seed in range(1, 7))
"""Each is the PYTHONHASHSEED of a process: with six, of 100 sets of two words 97 or more have two orders among them."""
_RULES = "a vote may use only the view and the parameters; shared/strategies/README.md lists what it may import"


@frozen
class Checked:
    """What became of one strategy: its file, what was found as (check, what, remedy), and its figures if it ran."""

    name: str
    path: Path
    ships: bool
    findings: tuple[tuple[str, str, str], ...]
    figures: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def check(name: str, folder: str) -> Checked:
    """Check a strategy, and enter one of the owner's that passes in the register; raises UserError for no such file."""
    try:
        there, taken = registry.found(folder), registry.taken(folder)
    except ConfigError as wrong:
        raise UserError("; ".join(wrong.problems), remedy="correct that first") from None
    if name not in there:
        raise UserError(
            f"there is no strategy {name}", remedy=f"choose one of {registry.listed(there)}, or set STRATEGY_STRATEGIES"
        )
    if name in taken:
        path = Path(folder, f"{name}.py")
        remedy = f"rename the file and its NAME; until then {name} is the strategy that ships"
        return _misnamed(name, path, f"{path} has the name of a strategy that ships, and is left out", remedy)
    if name in MODULES:
        what = f"{there[name]} hides the module {name} from every program that runs in its folder"
        return _misnamed(name, there[name], what, "rename the file and its NAME")
    path, ships = there[name], there[name].parent == registry.HERE
    content = path.read_bytes()
    findings = _by_its_text(path, content)
    figures: Mapping[str, Any] = {}
    if not findings:
        figures = ask(name, folder)
        findings = [(one["check"], one["what"], one["remedy"]) for one in figures.get("findings", ())]
    if not findings and not ships:
        write_atomically(path.parent / passed.REGISTER, passed.entered(path, content, datetime.now(UTC)))
    return Checked(name=name, path=path, ships=ships, findings=tuple(findings), figures=figures)


def _misnamed(name: str, path: Path, what: str, remedy: str) -> Checked:
    """Say of a file of the owner's that its name is another's, whatever is in it."""
    return Checked(name=name, path=path, ships=False, findings=(("name", what, remedy),), figures={})


def _by_its_text(path: Path, content: bytes) -> list[tuple[str, str, str]]:
    try:
        found = purity.faults(content.decode())
    except (SyntaxError, ValueError) as problem:
        line = getattr(problem, "lineno", None)
        where = f"{path}:{line}" if line else str(path)
        return [("form", f"{where}: this is not valid Python: {getattr(problem, 'msg', problem)}", "correct it")]
    return [("purity", f"{path}:{one.line}: it {one.what}", _RULES) for one in found]


class _NothingSaid(Exception):
    """A process of a check ended and left nothing, or did not end."""


def ask(name: str, folder: str, *, seeds: Sequence[str] = SEEDS) -> Mapping[str, Any]:
    """Run `examined` in a process of its own, whose output goes nowhere; gives what it found, or how it ended.

    Where it found nothing, a process for each seed is asked for all answers, which have to be the same.
    """
    ends = time.monotonic() + LASTS_S
    try:
        found: Mapping[str, Any] = _said("findings", name, folder, seeds[0], ends)
        if found["findings"]:
            return found
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = list(pool.map(lambda seed: _said("answers", name, folder, seed, ends), seeds))
    except _NothingSaid as problem:
        remedy = "a vote must return, and may neither wait nor end the program"
        return {"findings": [{"check": "process", "what": str(problem), "remedy": remedy}]}
    return {**found, "findings": list(_differ(answers))}


def _said(what: str, name: str, folder: str, seed: str, ends: float) -> Any:
    """Give what a process with its own seed of `hash` writes down; raises _NothingSaid."""
    environ = {**os.environ, "PYTHONHASHSEED": seed}
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, "said.json")
        own = str(Path(folder).resolve()) if folder else ""
        command = [sys.executable, "-m", "infra.strategies.examined", what, name, own, str(out)]
        left = max(ends - time.monotonic(), 0)
        try:
            ended = subprocess.run(  # noqa: S603
                command, cwd=ROOT, env=environ, capture_output=True, check=False, timeout=left
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise _NothingSaid(f"the check did not finish within {LASTS_S} s") from None
        if not out.is_file():
            last = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise _NothingSaid(f"its process exited with code {ended.returncode}{': ' if last else ''}{''.join(last)}")
        return json.loads(out.read_bytes())


def _differ(answers: Sequence[Sequence[tuple[str, str]]]) -> Iterator[Mapping[str, str]]:
    """Compare what the processes answered at each instant, and give the first difference."""
    for (asked, _), *_ in (same for same in zip(*answers, strict=True) if any(one != same[0] for one in same)):
        why = "it depends on the order of a set or on hash(), which differ between processes"
        yield {
            "check": "purity",
            "what": f"{asked}, another process gave another answer: {why}",
            "remedy": "sort the set first",
        }
        return
