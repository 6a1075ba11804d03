"""`strategy check`: whether a strategy may be run, found by its text and by asking it in a process of its own.

What can go wrong: the file is changed while it is checked (what passes is what was read first: the register has its
hash, and another file has another); the process hangs or dies (that is a finding). What this promises: a strategy
passes with no finding only, and what passed is entered in the register beside its file (`infra.archives.passed`).
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.archives import passed
from infra.simulated_day.files import write_atomically
from infra.simulated_day.problems import UserError
from infra.strategies import purity
from shared.errors import ConfigError
from shared.strategies import registry

LASTS_S = 120
_RULES = "a vote is made of the view and the parameters alone; shared/strategies/README.md lists what it may import"


@dataclass(frozen=True, slots=True, kw_only=True)
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
        raise UserError("; ".join(wrong.problems), remedy="put that right first") from None
    if name not in there:
        raise UserError(f"there is no strategy {name}", remedy=f"there are {', '.join(there)}; see STRATEGY_STRATEGIES")
    if name in taken:
        return _taken(name, Path(folder, f"{name}.py"))
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


def _taken(name: str, path: Path) -> Checked:
    """Say of a file of the owner's that nobody runs it, whatever is in it."""
    remedy = f"rename it, and its NAME; until then {name} is the strategy that ships"
    finding = ("name", f"{path} has the name of a strategy that ships, and is left out", remedy)
    return Checked(name=name, path=path, ships=False, findings=(finding,), figures={})


def _by_its_text(path: Path, content: bytes) -> list[tuple[str, str, str]]:
    try:
        found = purity.faults(content.decode())
    except (SyntaxError, ValueError) as problem:
        line = getattr(problem, "lineno", None)
        where = f"{path}:{line}" if line else str(path)
        return [("form", f"{where}: this is no Python: {getattr(problem, 'msg', problem)}", "put that right")]
    return [("purity", f"{path}:{one.line}: it {one.what}", _RULES) for one in found]


def ask(name: str, folder: str) -> Mapping[str, Any]:
    """Run `examined` in a process of its own, whose output goes nowhere; gives what it found, or how it ended."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, "found.json")
        command = [sys.executable, "-m", "infra.strategies.examined", name, folder, str(out)]
        try:
            ended = subprocess.run(command, capture_output=True, check=False, timeout=LASTS_S)  # noqa: S603
        except subprocess.TimeoutExpired:
            return _broken(f"it did not end within {LASTS_S} s")
        if not out.is_file():
            last = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
            return _broken(f"its process ended with code {ended.returncode}{': ' if last else ''}{''.join(last)}")
        found: Mapping[str, Any] = json.loads(out.read_bytes())
        return found


def _broken(what: str) -> Mapping[str, Any]:
    return {"findings": [{"check": "process", "what": what, "remedy": "a vote answers, and neither waits nor ends"}]}
