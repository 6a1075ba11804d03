"""Every test says what it promises, in one sentence."""

import ast
import re

import pytest

from tests.architecture.files import Finding, report, texts

SECOND_SENTENCE = re.compile(r"[.!?]\s+[A-Z]")


def broken_promises(path: str, source: str) -> list[Finding]:
    """Return each test whose docstring is not one sentence with a full stop."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            promise = (ast.get_docstring(node) or "").strip()
            if not promise.endswith(".") or SECOND_SENTENCE.search(promise):
                sentence = f"{node.name} does not say its promise in one sentence"
                found.append(Finding(path=path, line=node.lineno, sentence=sentence))
    return found


def test_every_test_says_its_promise() -> None:
    """Each test function has a docstring of one sentence that ends with a full stop."""
    sources = texts("tests", suffix=".py")
    found = [one for path, text in sources.items() for one in broken_promises(path, text)]
    assert sources
    assert not found, report(found)


@pytest.mark.parametrize(
    "body",
    ["pass", "'''No full stop'''", "'''One sentence. And another one.'''"],
)
def test_seeded_silence_is_found(body: str) -> None:
    """A test without a docstring, without a full stop or with two sentences is found."""
    assert broken_promises("seeded.py", f"def test_x():\n    {body}\n")


def test_a_promise_passes() -> None:
    """One sentence passes, also in a class and over two lines."""
    source = "class TestX:\n    def test_x(self):\n        '''A limit of 2.5 is\n        kept.'''\n"
    assert broken_promises("seeded.py", source) == []
