"""`strategy package`: what it writes, what it shows, and how it refuses."""

import json
from pathlib import Path

import pytest
from typer import Exit
from typer.testing import CliRunner, Result

from infra.archives import build_all
from infra.cli import package
from infra.cli.main import app
from tests.architecture.files import ROOT
from tests.packaging.checkouts import copy_checkout


def strategy(*words: str) -> Result:
    """Run one command in this process."""
    return CliRunner().invoke(app, ["package", *words], env={"COLUMNS": "200", "NO_COLOR": "1"})


def test_every_archive_is_written_and_shown(tmp_path: Path) -> None:
    """The folder is made, holds one file for each function, and the table names function, files, rooms and hash."""
    out = tmp_path / "new" / "folder"
    result = strategy("--out", str(out))
    assert result.exit_code == 0, result.output
    archives = build_all(ROOT)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {one.name: one.content for one in archives}
    for archive in archives:
        row = next(line for line in result.output.splitlines() if f" {archive.function} " in line)
        assert f" {len(archive.files)} " in row
        assert archive.sha256[:16] in row
        assert all(f"{room} " in result.output for room in archive.rooms)


def test_what_else_is_in_the_folder_stays(tmp_path: Path) -> None:
    """Other files and older archives are left alone, and a second run changes nothing."""
    other = tmp_path / "market_scan-0123456789abcdef.zip"
    other.write_bytes(b"older")
    assert strategy("--out", str(tmp_path)).exit_code == 0
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert strategy("--out", str(tmp_path)).exit_code == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert first[other.name] == b"older"


def test_figures_go_to_a_file(tmp_path: Path) -> None:
    """With --json the figures of every archive are written to a file."""
    figures = tmp_path / "figures.json"
    assert strategy("--out", str(tmp_path / "out"), "--json", str(figures)).exit_code == 0
    plain = json.loads(figures.read_bytes())
    assert [one["archive"] for one in plain] == [archive.name for archive in build_all(ROOT)]
    for one in plain:
        assert (tmp_path / "out" / one["archive"]).stat().st_size == one["bytes"]
        assert sum(one["rooms"].values()) == sum(n for path, n in one["files"].items() if path.startswith("shared/"))


@pytest.mark.parametrize("below", ["", "further"])
def test_a_file_in_the_way_is_refused(tmp_path: Path, below: str) -> None:
    """A file where the folder should be, or on the way to it, gives exit code 2, a sentence and a remedy."""
    (tmp_path / "file").write_text("mine")
    result = strategy("--out", str(tmp_path / "file" / below))
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    assert "\nRemedy: " in result.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_take_an_archive_is_refused(tmp_path: Path) -> None:
    """A write that fails gives exit code 2, a sentence and a remedy."""
    (tmp_path / build_all(ROOT)[0].name).mkdir()
    result = strategy("--out", str(tmp_path))
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"Error: {tmp_path} cannot be written: ")


def test_an_unwritable_figures_file_is_found_first(tmp_path: Path) -> None:
    """A figures file that cannot be written is refused before any archive is."""
    out = tmp_path / "out"
    assert strategy("--out", str(out), "--json", str(tmp_path / "missing" / "figures.json")).exit_code == 2
    assert list(out.iterdir()) == []


def test_a_folder_must_be_named() -> None:
    """Without --out nothing is written anywhere."""
    assert strategy().exit_code == 2


def test_a_function_that_cannot_be_packaged_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing module gives exit code 1 with its file and line, and no archive of any function."""
    root = copy_checkout(tmp_path / "checkout")
    with (root / "shared" / "wiring" / "token_refresh.py").open("a", encoding="utf-8") as file:
        file.write("import shared.nowhere\n")
    with pytest.raises(Exit) as stopped:
        package.run(out=tmp_path / "out", json_out=None, root=root)
    assert stopped.value.exit_code == 1
    assert "shared/wiring/token_refresh.py:" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []
