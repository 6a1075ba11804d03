"""What shared/README.md shows of the market's data from Python does what it says."""

import re
import runpy
from contextlib import nullcontext
from pathlib import Path

import pytest

from shared.usecases.base.desk import put
from tests.domain.days import TODAY, series
from tests.operations.keyed import KeyHome
from tests.operations.test_probe import lively

README = Path(__file__).resolve().parents[2] / "shared" / "README.md"
KEY = 'reach_key("production", None, os.environ)'


def test_the_snippet_of_readme_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Word for word, but with a key at the simulator, it prints price, source, age, quality, gaps and session."""
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert snippet.count(KEY) == 1
    home = KeyHome(lively())
    hand = home.signed_in()
    home.store.commit([put("imports/ZXAA", series(5, symbol="ZXAA"))])
    script = tmp_path / "snippet.py"
    day = f"date({TODAY.year}, {TODAY.month}, {TODAY.day})"
    script.write_text(snippet.replace(KEY, "home").replace("date.today()", day).replace('"IBM"', '"ZXAA"'))
    runpy.run_path(str(script), init_globals={"home": nullcontext(hand)})
    price, bars, session = capsys.readouterr().out.splitlines()
    assert price.startswith("10.00 E*TRADE's production 0.")
    assert " False " in price
    assert "sessions are missing" in bars
    assert "opens_at" in session
    assert "source=1" in session
