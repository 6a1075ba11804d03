"""The import contracts of pyproject.toml, each shown to fail on a seeded import."""

import subprocess
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.files import ROOT, project_files

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]
PACKAGES = ("shared", "infra", "shared.usecases", "shared.domain")
COMPONENTS_MAY_IMPORT = frozenset({"stored", "topology", "settings", "errors"})
NO_ROOM = frozenset({"__init__", "venv"})  # the second is what `pulumi install` makes in infra, and belongs to nobody


def placed_rooms(package: str) -> list[str]:
    """Return the rooms that the exhaustive contract of the package names, outermost first."""
    layers = next(one["layers"] for one in CONTRACTS if one.get("exhaustive") and one["containers"] == [package])
    return [room.strip(" ()") for layer in layers for room in layer.split("|")]


def existing_rooms(package: str, root: Path = ROOT) -> set[str]:
    """Return the rooms of the package that exist as a module or a package with code."""
    entries = [one for one in root.joinpath(*package.split(".")).iterdir() if one.stem not in NO_ROOM]
    return {one.stem for one in entries if one.suffix == ".py" or any(one.rglob("*.py"))}


def components_gap(shared_rooms: Collection[str], contracts: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the rooms of shared that no contract keeps away from infra.components."""
    kept_away = {
        room.removeprefix("shared.")
        for one in contracts
        if one["type"] == "forbidden" and "infra.components" in one["source_modules"]
        for room in one["forbidden_modules"]
    }
    return set(shared_rooms) - COMPONENTS_MAY_IMPORT - kept_away


def check_contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contract checker in the folder."""
    call = [str(LINT_IMPORTS), "--no-cache"]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Build a house with every room of the contracts, each empty."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for package in PACKAGES:
        for room in ("", *placed_rooms(package)):
            folder = tmp_path.joinpath(*package.split("."), room)
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").touch()
    return tmp_path


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_has_its_place(package: str) -> None:
    """Each room that exists is named in the exhaustive contract of its package."""
    assert existing_rooms(package) <= set(placed_rooms(package))


def test_the_environment_of_pulumi_is_no_room(house: Path) -> None:
    """What `pulumi install` leaves in infra needs no place, breaks no contract and is no file of the project."""
    before, files = existing_rooms("infra", house), project_files(house)
    package = house / "infra" / "venv" / "lib" / "python3.11" / "site-packages" / "pulumi"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import shared.door\n")
    assert existing_rooms("infra", house) == before
    assert project_files(house) == files
    result = check_contracts(house)
    assert result.returncode == 0, result.stdout


def test_components_have_their_contract() -> None:
    """As soon as infra.components exists, a contract keeps it away from all but four rooms of shared."""
    if "components" in existing_rooms("infra"):
        assert components_gap(existing_rooms("shared"), CONTRACTS) == set()
    contract = {
        "type": "forbidden",
        "source_modules": ["infra.components"],
        "forbidden_modules": ["shared.door"],
    }
    assert components_gap({"door", "domain", "errors"}, [contract]) == {"domain"}


def test_a_clean_house_passes(house: Path) -> None:
    """A house with every room and only inward imports passes."""
    (house / "shared" / "door" / "__init__.py").write_text("import shared.usecases\nimport shared.errors\n")
    (house / "infra" / "one_machine" / "__init__.py").write_text("import infra.brokersim\nimport shared.wiring\n")
    result = check_contracts(house)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("importer", "imported", "contract"),
    [
        ("shared.usecases", "shared.door", "Doors in shared open only inward"),
        ("shared.etrade", "shared.gcp", "Doors in shared open only inward"),
        ("shared.paper", "shared.etrade", "Doors in shared open only inward"),
        ("shared.usecases", "shared.etrade", "Doors in shared open only inward"),
        ("shared.domain", "shared.codec", "Doors in shared open only inward"),
        ("shared.codec", "shared.ports", "Doors in shared open only inward"),
        ("shared.settings", "shared.topology", "Doors in shared open only inward"),
        ("shared.errors", "shared.domain", "Doors in shared open only inward"),
        ("shared.documents", "shared.gcp", "Doors in shared open only inward"),
        ("shared.usecases", "shared.documents", "Doors in shared open only inward"),
        ("shared.etrade", "shared.usecases", "Adapters never call use cases"),
        ("shared.gcp", "shared.usecases", "Adapters never call use cases"),
        ("shared.sources", "shared.usecases", "The sources of history never call use cases"),
        ("shared.etrade", "shared.sources", "Doors in shared open only inward"),
        ("shared.usecases", "yfinance", "Only the sources of history import the libraries of those"),
        ("infra.one_machine", "alpaca.data", "Only the sources of history import the libraries of those"),
        ("shared.domain", "shared.settings", "The domain knows neither settings nor topology"),
        ("shared.domain", "shared.topology", "The domain knows neither settings nor topology"),
        ("shared.usecases.orders", "shared.usecases.settling", "The rooms of the use cases open only inward"),
        ("shared.usecases.scanning", "shared.usecases.placing", "The rooms of the use cases open only inward"),
        ("shared.usecases.sign_in", "shared.usecases.control", "The rooms of the use cases open only inward"),
        ("shared.usecases.settling", "shared.usecases.sign_in", "Signing in knows nothing of trading"),
        ("shared.domain.market", "shared.domain.orders", "The rooms of the domain open only inward"),
        ("shared.domain.risk", "shared.domain.telling", "The rooms of the domain open only inward"),
        ("shared.wiring", "infra.one_machine", "What ships never imports what stays at home"),
        ("infra.brokersim", "shared.errors", "The simulated broker shares nothing with the client"),
        ("infra.brokersim", "shared", "The simulated broker shares nothing with the client"),
        ("infra.one_machine", "infra.cli", "The command line is the outermost room of infra"),
        ("infra.brokersim", "infra.one_machine", "The command line is the outermost room of infra"),
        ("infra.components", "infra.one_machine", "The command line is the outermost room of infra"),
        ("infra.components", "shared.frozen", "The cloud's components know of shared only"),
    ],
)
def test_seeded_import_breaks_its_contract(house: Path, importer: str, imported: str, contract: str) -> None:
    """An import against the direction of the rooms breaks the contract that forbids it."""
    (house.joinpath(*importer.split(".")) / "__init__.py").write_text(f"import {imported}\n")
    result = check_contracts(house)
    assert result.returncode == 1, result.stdout
    assert any(line.startswith(contract) and line.endswith("BROKEN") for line in result.stdout.splitlines())


@pytest.mark.parametrize("package", PACKAGES)
def test_seeded_room_without_a_place_fails(house: Path, package: str) -> None:
    """A room that no layer names fails the check."""
    attic = house.joinpath(*package.split("."), "attic")
    attic.mkdir()
    (attic / "__init__.py").touch()
    result = check_contracts(house)
    assert result.returncode == 1
    assert "attic" in result.stdout
