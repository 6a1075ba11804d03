"""What a strategy's text may not do, found without running it: a vote is made of its view and its parameters alone.

What can go wrong: a strategy reads the clock, a file, the network or chance, so that a back-test and the live system,
or two runs of one day, decide differently; it remembers in a variable of its file what it saw, so that a process that
began later decides otherwise; it reads what only the code behind a view may know. What this promises: the usual ways to
do so are named with their lines. It guards against mistakes, not malice: who wants to get around it can.
"""

import ast
from collections.abc import Iterator

from shared.frozen import frozen

MAY = frozenset({
    "__future__", "bisect", "collections", "collections.abc", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "heapq", "itertools", "math", "numpy", "operator", "statistics", "talib", "typing",
})  # fmt: skip
"""The modules that a strategy may import, beside `shared.domain`, `shared.strategies` and their modules."""
_OURS = ("shared.domain", "shared.strategies")
_CALLS = frozenset({
    "__import__", "breakpoint", "compile", "delattr", "eval", "exec", "globals", "input", "open", "print", "setattr",
    "vars",
})  # fmt: skip
_CLOCKS = frozenset({"now", "today", "utcnow"})
_GROWS = frozenset({"add", "append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"})
_OF_TUPLES = frozenset({"_asdict", "_fields", "_make", "_replace"})
"""What a named tuple gives to everybody under a name that begins with an underscore."""
_PRIVATE = "a private name: use what a view gives without an underscore"
_CACHES = frozenset({"cache", "lru_cache", "cached_property"})


@frozen(kw_only=False)
class Fault:
    """What a line does that a strategy may not."""

    line: int
    what: str


def faults(text: str) -> tuple[Fault, ...]:
    """Name every line that reads or keeps what is not in view and parameters; raises SyntaxError."""
    tree = ast.parse(text)
    own = {name for node in tree.body for name in _assigned(node)}
    found = [fault for node in ast.walk(tree) for fault in _of(node, own)]
    return tuple(sorted(set(found), key=lambda one: (one.line, one.what)))


def _assigned(node: ast.stmt) -> Iterator[str]:
    """Give the names that a line of the file itself gives a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id


def _of(node: ast.AST, own: set[str]) -> Iterator[Fault]:
    line = getattr(node, "lineno", 0)
    match node:
        case ast.Import():
            names = [one.name for one in node.names]
            yield from (Fault(line, f"imports {name}") for name in names if not _may(name))
        case ast.ImportFrom():
            name = node.module or "."
            if node.level or not _may(name):
                yield Fault(line, f"imports {'.' * node.level}{node.module or ''}")
            if name == "functools":
                kept = sorted(_CACHES & {one.name for one in node.names})
                yield from (Fault(line, f"keeps values between calls with functools.{one}") for one in kept)
        case ast.Global() | ast.Nonlocal():
            yield Fault(line, f"changes {', '.join(node.names)} outside of the function")
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield Fault(line, f"calls {name}()")
        case ast.Call(func=ast.Attribute(attr=name)) if name in _CLOCKS:
            yield Fault(line, f"reads the clock with .{name}(): view.at is the time of the tick")
        case ast.Call(func=ast.Attribute(value=ast.Name(id=kept), attr=name)) if kept in own and name in _GROWS:
            yield Fault(line, f"changes {kept}, which the file keeps between calls")
        case ast.Attribute():
            yield from _read(node, line)
        case ast.Subscript(value=ast.Name(id=kept), ctx=ast.Store() | ast.Del()) if kept in own:
            yield Fault(line, f"changes {kept}, which the file keeps between calls")
        case _:
            pass


def _read(node: ast.Attribute, line: int) -> Iterator[Fault]:
    """Say what is wrong with a name behind a point."""
    match node:
        case ast.Attribute(value=ast.Name(id="functools"), attr=name) if name in _CACHES:
            yield Fault(line, f"keeps values between calls with functools.{name}")
        case ast.Attribute(value=ast.Name(id="numpy" | "np"), attr="random"):
            yield Fault(line, "uses random numbers of numpy.random")
        case ast.Attribute(attr=name) if name.startswith("_") and name not in _OF_TUPLES and not _itself(node.value):
            yield Fault(line, f"reads .{name}, {_PRIVATE}")
        case _:
            pass


def _itself(node: ast.expr) -> bool:
    """Tell whether a class of the file speaks of itself there."""
    match node:
        case ast.Name(id="self" | "cls") | ast.Call(func=ast.Name(id="super")):
            return True
        case _:
            return False


def _may(name: str) -> bool:
    return name in MAY or any(name == ours or name.startswith(f"{ours}.") for ours in _OURS)
