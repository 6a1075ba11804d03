"""A quote becomes one to decide on in one place, which is given its faults: nothing else that ships calls it sound."""

import ast

import pytest

from tests.architecture.files import SHIPPED_OR_RUN, Finding, report, texts

MAKER = "shared/domain/market/quality.py"


def makers(path: str, text: str) -> list[Finding]:
    """Return every place that makes a quote a sound one."""
    sentence = "makes a quote sound: ask quality.sound, which takes its faults"
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [Finding(path=path, line=call.lineno, sentence=sentence) for call in calls if _makes(call)]


def _makes(call: ast.Call) -> bool:
    name = ast.unparse(call.func).split(".")[-1]
    return name == "Sound" or (name == "cast" and "Sound" in ast.unparse(call))


def test_one_place_makes_a_quote_sound() -> None:
    """The type that entries and exits take is given by the check of faults alone."""
    found = [one for path, text in texts(*SHIPPED_OR_RUN, suffix=".py").items() for one in makers(str(path), text)]
    assert len([one for one in found if one.path.endswith(MAKER)]) == 1
    others = [one for one in found if not one.path.endswith(MAKER)]
    assert not others, report(others)


@pytest.mark.parametrize(
    "source",
    ["seen = Sound(quote)", "judge(quality.Sound(quote))", "seen = cast(Sound, quote)", "cast('Sound', quote)"],
)
def test_each_other_way_is_found(source: str) -> None:
    """A quote that is called sound elsewhere, or cast to be, is found."""
    assert makers("seeded.py", source)


def test_asking_is_no_making() -> None:
    """The function that looks at the faults may be called by anybody."""
    assert makers("seeded.py", "from q import Sound, sound\nseen: Sound | None = sound(quote, found)") == []
