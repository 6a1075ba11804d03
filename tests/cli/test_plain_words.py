"""What the program says to a person has no wording that was found hard to understand where a plain one exists."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTEAD = {
    "put that right": "correct it",
    "these variables otherwise": "correct these variables",
    "say it again": "repeat the command",
    "is no time": "is not a time",
    "is not an instant": "is not a valid timestamp",
    "anew": "again",
    "in vain": "could not be delivered",
    "changed hands": "were bought or sold",
    "let out": "allowed",
    "draw one": "generate one",
    "the licence": "the authorisation",
    "makes its answers up": "made-up answers",
    "come to its end": "finished",
}
"""Each wording that nobody need learn, with the plain one."""


def _said(text: str) -> Iterator[tuple[int, str]]:
    """Give the texts of a module but its docstrings, each with its line."""
    tree = ast.parse(text)
    documents = {
        id(node.value) for body in ast.walk(tree) for node in _lines(body)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.lineno, node.value


def _lines(node: ast.AST) -> list[ast.stmt]:
    body = getattr(node, "body", None)
    return body if isinstance(body, list) else []


def _found(text: str) -> list[tuple[int, str]]:
    return [
        (line, hard) for line, said in _said(text) for hard in INSTEAD
        if f" {hard} " in f" {said.translate(str.maketrans(',.:;', '    '))} "
    ]  # fmt: skip


def test_no_text_has_a_wording_that_has_to_be_learned() -> None:
    """Whatever the commands, the functions and the deployment say uses the plain wording."""
    files = [path for room in ("infra", "shared", "functions") for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 500
    found = [(str(path.relative_to(ROOT)), *one) for path in files for one in _found(path.read_text("utf-8"))]
    assert not found, "\n".join(f"{path}:{line}: {hard!r}: say {INSTEAD[hard]!r}" for path, line, hard in found)


@pytest.mark.parametrize("hard", INSTEAD)
def test_such_a_wording_is_found(hard: str) -> None:
    """One of them in an error is found with its line, one in a docstring says nothing to a person."""
    assert _found(f'"""{hard}"""\nraise ValueError(f"first {{1}} {hard}, and go on")\n') == [(2, hard)]
