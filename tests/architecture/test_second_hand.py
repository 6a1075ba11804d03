"""A price from elsewhere reaches nothing that trades: not by an import, and not by the name of its collection."""

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.archives.closure import follow
from tests.architecture.files import ROOT, texts

SHOWS = frozenset({"shared/domain/market/fallback.py", "shared/usecases/market/fallback.py"})
TRADES = ("market_scan", "order_placement", "order_settlement", "token_refresh", "oauth_callback", "notify")
NAMES_IT = frozenset({"shared/stored.py", "shared/topology.py", "shared/usecases/market/fallback.py"})
COLLECTION = "fallback_quotes"


def reached(root: Path, function: str) -> frozenset[str]:
    """Give the files of shared that a function's archive holds."""
    return follow(root, f"functions/{function}/main.py", frozenset()).modules


def named(sources: dict[str, str]) -> set[str]:
    """Give the files that name the collection."""
    return {path for path, text in sources.items() if COLLECTION in text}


@pytest.mark.parametrize("function", TRADES)
def test_no_archive_but_one_holds_the_price_from_elsewhere(function: str) -> None:
    """Neither its type nor what reads it is in the archive of any function but market_history."""
    assert not SHOWS & reached(ROOT, function)
    assert reached(ROOT, "market_history") >= SHOWS


def test_nothing_else_names_the_collection() -> None:
    """Of all that ships only the topology and the one module that reads and writes it name the collection."""
    assert named(texts("shared", "functions", suffix=".py")) == NAMES_IT


RULES = (
    "usecases/placing/enter",
    "usecases/scanning/hold",
    "usecases/scanning/scan",
    "usecases/placing/leave",
    "domain/orders/exits",
    "strategies/decide",
)


@pytest.mark.parametrize("module", RULES)
@pytest.mark.parametrize(
    "seeded", ["from shared.usecases.market import fallback", "from shared.domain.market.fallback import FallbackQuote"]
)
def test_a_rule_that_reads_it_is_found(tmp_path: Path, module: str, seeded: str) -> None:
    """Seeded mistake: with such an import in a rule an archive of a function that trades holds it."""
    for folder in ("shared", "functions"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    assert not any(SHOWS & reached(tmp_path, one) for one in TRADES[:2])
    _copied(tmp_path, f"shared/{module}.py", lambda text: f"{text}\n{seeded}\n")
    assert any(SHOWS & reached(tmp_path, one) for one in TRADES[:2])


def test_a_path_that_is_written_out_is_found() -> None:
    """Seeded mistake: a rule that names the collection is named."""
    assert named({"shared/usecases/scanning/hold.py": f'store.get(f"{COLLECTION}/IBM")'}) == {
        "shared/usecases/scanning/hold.py"
    }


def _copied(root: Path, path: str, change: Callable[[str], str]) -> None:
    """Put real folders, whose files lead to the project's, on the way to one file, and change that."""
    (root / "shared").unlink()
    _linked(ROOT / "shared", root / "shared", Path(path).parts[1:])
    (root / path).unlink()
    (root / path).write_text(change((ROOT / path).read_text(encoding="utf-8")), encoding="utf-8")


def _linked(source: Path, target: Path, way: tuple[str, ...]) -> None:
    target.mkdir()
    for one in source.iterdir():
        if len(way) > 1 and one.name == way[0]:
            _linked(one, target / one.name, way[1:])
        else:
            (target / one.name).symlink_to(one)
