"""The rule of the pure rooms: no clock, no chance, no environment, no input or output.

A line that must break it says so: `# impure: <reason>`. The number of such lines is asserted by the test.
"""

import ast
import re
import sys

from tests.architecture.files import Finding

IMPURE_MODULES = frozenset(
    [
        "asyncio",
        "concurrent",
        "contextvars",
        "ctypes",
        "fcntl",
        "fileinput",
        "getpass",
        "glob",
        "greenlet",
        "http",
        "importlib",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "pickle",
        "platform",
        "queue",
        "random",
        "requests",
        "requests_oauthlib",
        "resource",
        "sched",
        "secrets",
        "select",
        "selectors",
        "shelve",
        "shutil",
        "signal",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "tenacity",
        "threading",
        "time",
        "tracemalloc",
        "urllib",
        "urllib3",
        "uuid",
        "warnings",
        "webbrowser",
    ]
)
IMPURE_NAMES = {
    "datetime.datetime.now": "reads the clock",
    "datetime.datetime.utcnow": "reads the clock",
    "datetime.datetime.today": "reads the clock",
    "datetime.date.today": "reads the clock",
}
IMPURE_CALLS = {
    "open": "opens a file",
    "print": "writes to the terminal",
    "input": "reads from the terminal",
    "breakpoint": "stops the program",
    "exec": "runs text as code",
    "eval": "runs text as code",
    "__import__": "imports behind the reader's back",
    "hash": "differs from run to run for text; use hashlib",
    "id": "differs from run to run",
}
MARKER = re.compile(r"#\s*impure: \S+")


def impurities(path: str, source: str) -> list[Finding]:
    """Return each impure import, name or call on a line without a marker."""
    tree = ast.parse(source)
    aliases = _aliases(tree)
    marked = {number for number, line in enumerate(source.splitlines(), 1) if MARKER.search(line)}
    found: dict[tuple[int, str], Finding] = {}
    for node in ast.walk(tree):
        for sentence in (*_imports(node), *_names(node, aliases), *_calls(node)):
            line = getattr(node, "lineno", 0)
            if line not in marked:
                found[line, sentence] = Finding(path=path, line=line, sentence=sentence)
    return [found[key] for key in sorted(found)]


def markers(source: str) -> int:
    """Return how many lines of the source claim an exception."""
    return len(MARKER.findall(source))


def foreign_imports(path: str, source: str) -> list[Finding]:
    """Return each import of something that is neither the standard library nor this project's shared code."""
    return [
        Finding(path=path, line=node.lineno, sentence=f"imports {module}, which is not the standard library")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in _modules(node)
        if module.partition(".")[0] not in {*sys.stdlib_module_names, "shared"}
    ]


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or "."]


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Return local name -> full dotted name for everything the module imports."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _imports(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return []
    return [f"imports {name}" for name in _modules(node) if name.partition(".")[0] in IMPURE_MODULES]


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return aliases.get(node.id, "")
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, aliases)
        return f"{base}.{node.attr}" if base else ""
    return ""


def _names(node: ast.AST, aliases: dict[str, str]) -> list[str]:
    name = _dotted(node, aliases)
    return [f"{name} {IMPURE_NAMES[name]}"] if name in IMPURE_NAMES else []


def _calls(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
        return [f"{node.func.id}() {IMPURE_CALLS[node.func.id]}"]
    return []
