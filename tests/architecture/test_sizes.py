"""Modules and functions stay small enough to be read in one go."""

import ast

from tests.architecture.files import SHIPPED_OR_RUN, Finding, report, texts

MAX_MODULE_LINES = 400
# 40 is the aim; a table or a ladder of cases may grow to this before it is split. Docstrings do not count.
MAX_FUNCTION_LINES = 50


def long_modules(path: str, source: str) -> list[Finding]:
    """Return the module itself when it is too long."""
    lines = len(source.splitlines())
    sentence = f"has {lines} lines, more than {MAX_MODULE_LINES}"
    return [Finding(path=path, line=lines, sentence=sentence)] if lines > MAX_MODULE_LINES else []


def long_functions(path: str, source: str) -> list[Finding]:
    """Return the functions that are too long."""
    return [
        Finding(path=path, line=node.lineno, sentence=f"{node.name} has {lines} lines")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := _lines(node)) > MAX_FUNCTION_LINES
    ]


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is None:
        return whole
    docstring = node.body[0]
    return whole - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def test_modules_are_short() -> None:
    """No module, tests included, is longer than the limit."""
    found = [one for path, text in texts(suffix=".py").items() for one in long_modules(path, text)]
    assert not found, report(found)


def test_functions_are_short() -> None:
    """No function of the product is longer than the limit."""
    sources = texts(*SHIPPED_OR_RUN, suffix=".py")
    found = [one for path, text in sources.items() for one in long_functions(path, text)]
    assert not found, report(found)


def test_seeded_lengths_are_found() -> None:
    """One line more than the limit is found, the limit itself passes."""
    assert long_modules("seeded.py", "x = 1\n" * (MAX_MODULE_LINES + 1))
    assert not long_modules("seeded.py", "x = 1\n" * MAX_MODULE_LINES)
    assert long_functions("seeded.py", "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES)
    assert not long_functions("seeded.py", "def f():\n" + "    x = 1\n" * (MAX_FUNCTION_LINES - 1))
    documented = 'def f():\n    """Do\n    it."""\n' + "    x = 1\n" * (MAX_FUNCTION_LINES - 1)
    assert not long_functions("seeded.py", documented)
