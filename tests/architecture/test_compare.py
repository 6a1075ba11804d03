"""What is secret is compared in constant time (order-safety.md 4, item 34)."""

import ast
import re

import pytest

from tests.architecture.files import Finding, report, texts

# Words that name what an attacker may guess at; a comparison with a constant or of a length tells nothing.
SECRET = re.compile(r"(^|_)(secret|signature|cookie|verifier|pin|mac|digest|nonce|state_hash|value)($|_)")
ROOMS = ("shared/pages", "shared/usecases/sign_in", "shared/usecases/base/links.py",
         "shared/wiring/credentials.py", "shared/etrade/authority.py")  # fmt: skip


def early_comparisons(path: str, source: str) -> list[Finding]:
    """Return each `==` or `!=` of something that is called like a secret."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or not any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue
        if any(SECRET.search(name) for side in sides for name in _names(side)):
            found.append(Finding(path=path, line=node.lineno, sentence="compares a secret with == or !="))
    return found


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Name():
            return [node.id]
        case ast.Attribute():
            return [node.attr]
        case ast.Call():
            return _names(node.func)
    return []


def test_secrets_are_compared_in_constant_time() -> None:
    """Where links, cookies, codes and tokens are handled, nothing called so is compared with == or !=."""
    sources = {path: text for path, text in texts("shared", suffix=".py").items() if path.startswith(ROOMS)}
    found = [one for path, text in sources.items() for one in early_comparisons(path, text)]
    assert len(sources) >= len(ROOMS)
    assert not found, report(found)
    assert sum(text.count("hmac.compare_digest(") for text in sources.values()) >= 3


@pytest.mark.parametrize(
    "line", ["signature == given", "given != link.signature", "self._signature(x) == given", "flow.cookie == cookie"]
)
def test_a_seeded_comparison_is_found(line: str) -> None:
    """A comparison that ends at the first letter that differs is found."""
    assert early_comparisons("seeded.py", f"def f():\n    return {line}\n")


@pytest.mark.parametrize("line", ["len(cookie) == 43", "kind == other", "hmac.compare_digest(signature, given)"])
def test_what_tells_nothing_passes(line: str) -> None:
    """Lengths, other names and the constant-time comparison pass."""
    assert early_comparisons("seeded.py", f"def f():\n    return {line}\n") == []
