"""Each function's main.py is a door: thin, and opening on its own wiring only."""

import ast

import pytest

from infra.tools.locks import locks
from tests.architecture.files import ROOT, Finding, report, texts

MAX_LINES = 30
FOLDERS = sorted(path.name for path in (ROOT / "functions").iterdir() if (path / "requirements.txt").is_file())


def faults(name: str, source: str) -> list[Finding]:
    """Return what makes this main.py more than a door."""
    path = f"functions/{name}/main.py"
    tree = ast.parse(source)
    found = [
        Finding(path=path, line=node.lineno, sentence=f"imports {module}, not its own wiring")
        for node in ast.walk(tree)
        for module in _modules(node)
        if module not in {"flask", "functions_framework"}
        and module != f"shared.wiring.{name}"
        and not module.startswith(f"shared.wiring.{name}.")
        if isinstance(node, ast.stmt)
    ]
    opens = [node for node in tree.body if ast.unparse(node) == f"handle = {name}.door()"]
    found += [
        Finding(path=path, line=node.lineno, sentence="does more at its start than open its door")
        for position, node in enumerate(tree.body)
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)
        and not (position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and node not in opens[:1]
    ]
    if not opens:
        sentence = f"lacks `handle = {name}.door()`: wrong settings would not end its start"
        found.append(Finding(path=path, line=1, sentence=sentence))
    if (lines := len(source.splitlines())) > MAX_LINES:
        found.append(Finding(path=path, line=lines, sentence=f"has {lines} lines, more than {MAX_LINES}"))
    return found


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module == "shared.wiring":
        return [f"shared.wiring.{alias.name}" for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return []


def test_every_function_has_its_extra_and_its_lock() -> None:
    """The folders below functions and the extras of pyproject.toml name the same functions."""
    locked = {lock.path for lock in locks() if lock.path.startswith("functions/")}
    assert locked == {f"functions/{name}/requirements.txt" for name in FOLDERS}
    assert {path.split("/")[1] for path in texts("functions") if path.count("/") > 1} == set(FOLDERS)


def test_no_function_lacks_its_door() -> None:
    """As soon as one function has its main.py, all have."""
    doors = {name for name in FOLDERS if (ROOT / "functions" / name / "main.py").is_file()}
    assert doors in (set(), set(FOLDERS))


def test_doors_are_thin() -> None:
    """Each main.py is short, imports only its own wiring and does nothing at its start but open its door."""
    doors = texts("functions", suffix="/main.py")
    found = [one for path, text in doors.items() for one in faults(path.split("/")[1], text)]
    assert not found, report(found)


GOOD = (
    '"""The scan."""\n\nimport functions_framework\nfrom flask import Request\n\n'
    "from shared.wiring import market_scan\n\n"
    "handle = market_scan.door()\n\n\n"
    "@functions_framework.http\ndef main(request: Request) -> str:\n"
    "    return handle(request)\n"
)


@pytest.mark.parametrize(
    "source",
    [
        "from shared.wiring import order_placement",
        "import shared.wiring.order_placement",
        "from shared.domain import signals",
        "from shared import wiring",
        "import os",
        "def f():\n    from shared.usecases import scan",
        "handle = market_scan.door()",
        "handle = market_scan.build()",
        "handle = order_placement.door()",
        "print('cold start')",
        "# a line\n" * MAX_LINES,
    ],
)
def test_seeded_fault_is_found(source: str) -> None:
    """A door that imports another room, does other work at its start, opens twice or grows long is found."""
    assert faults("market_scan", f"{GOOD}{source}\n")


def test_a_door_that_opens_late_is_found() -> None:
    """A door that is not opened at the start, or only inside a function, is found."""
    assert faults("market_scan", GOOD.replace("handle = market_scan.door()", ""))
    assert faults(
        "market_scan", GOOD.replace("handle = market_scan.door()", "def f():\n    handle = market_scan.door()")
    )


def test_a_good_door_passes() -> None:
    """A door that hands each request to its wiring passes."""
    assert faults("market_scan", GOOD) == []
