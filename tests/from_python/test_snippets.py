"""What infra/python/README.md shows runs as it stands there, against the simulator, and prints what it shows."""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

README = (Path(__file__).parents[2] / "infra" / "python" / "README.md").read_text(encoding="utf-8")
PAIR = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)


def pairs() -> list[tuple[str, str]]:
    """Give each block of code with the output that stands after it."""
    found: list[tuple[str, str]] = PAIR.findall(README)
    assert len(found) == README.count("```python") == README.count("```text")
    return found


def printed(blocks: list[str]) -> Iterator[str]:
    """Run blocks one after another in one namespace, as a reader does, and give what each prints."""
    names: dict[str, object] = {"__name__": "__main__"}
    try:
        for block in blocks:
            with redirect_stdout(io.StringIO()) as out:
                exec(compile(block, "infra/python/README.md", "exec"), names)  # noqa: S102
            yield out.getvalue()
    finally:
        if "trading" in names:
            names["trading"].close()  # type: ignore[attr-defined]


def differing(shown: list[tuple[str, str]]) -> str | None:
    """Give the first block that prints something else than is shown, with what it prints; None where all do."""
    for (code, text), out in zip(shown, printed([code for code, _ in shown]), strict=True):
        if text != out:
            return f"{code}\nprints\n{out}"
    return None


def test_the_readme_prints_what_it_shows() -> None:
    """Each block of code in the README prints, one after another, exactly the block of text after it."""
    assert differing(pairs()) is None


def test_another_output_is_noticed() -> None:
    """A README whose first output is not what its code prints is found."""
    (code, text), *_ = pairs()
    assert differing([(code, text.replace("fresh", "stale"))]) is not None
