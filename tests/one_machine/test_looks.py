"""A recording on the disk: what was kept stays readable whatever ends, and one process keeps a day."""

import gzip
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from infra.one_machine.looks import WANTED, KeptLooks, days_of, lines_of, path_of
from shared.errors import NotKept
from tests.patience import PATIENCE_S

DAY = date(2013, 10, 7)
ROOT = Path(__file__).resolve().parents[2]
KEEPS = """
import sys
from datetime import date
from pathlib import Path
from infra.one_machine.looks import KeptLooks
looks = KeptLooks(Path(sys.argv[1]))
looks.open(date(2013, 10, 7))
for number in range(int(sys.argv[2])):
    looks.keep(b'["line",%d]' % number)
    if number % 10 == 9:
        looks.turn()
print("kept", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder in which a recording is wanted."""
    (tmp_path / WANTED).touch()
    return tmp_path


def kept(folder: Path, *numbers: int, turn: bool = False) -> KeptLooks:
    """Keep some lines."""
    looks = KeptLooks(folder)
    assert looks.open(DAY) > 0
    for number in numbers:
        looks.keep(b'["line",%d]' % number)
    if turn:
        looks.turn()
    return looks


def found(folder: Path) -> list[object]:
    """Read the numbers of all lines."""
    return [line[1] for line in lines_of(folder, DAY)]


def let_go(looks: KeptLooks) -> None:
    """End a recording as the end of its process does."""
    looks._let_go()


def test_nothing_is_kept_where_no_recording_is_wanted(tmp_path: Path) -> None:
    """Without the owner's word there is no run of lines, and no file."""
    assert KeptLooks(tmp_path).open(DAY) == 0
    assert list(tmp_path.iterdir()) == []


def test_lines_are_read_in_their_order_while_the_recording_goes_on(folder: Path) -> None:
    """What is compressed and what still runs is read as one, by its owner alone."""
    looks = kept(folder, 1, 2, turn=True)
    looks.keep(b'["line",3]')
    assert found(folder) == [1, 2, 3]
    looks.turn()
    looks.keep(b'["line",4]')
    assert found(folder) == [1, 2, 3, 4]
    assert days_of(folder) == [DAY]
    assert (folder / f"{DAY}.part").stat().st_mode & 0o077 == 0
    with gzip.open(path_of(folder, DAY)) as file:
        assert file.read().count(b"line") == 3


def test_a_killed_process_loses_no_line(folder: Path) -> None:
    """A process that is killed between two minutes leaves every line, and another one goes on behind them."""
    words = [sys.executable, "-c", KEEPS, str(folder), "27"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603 - our own program
        assert child.stdout is not None
        assert child.stdout.readline() == b"kept\n"
        with pytest.raises(NotKept, match=f"process {child.pid} keeps the recording") as refused:
            KeptLooks(folder).open(DAY)
        assert refused.value.quiet
        child.send_signal(signal.SIGKILL)
        child.wait(PATIENCE_S)
    assert found(folder) == list(range(27))
    kept(folder, 27, 28)
    assert found(folder) == list(range(29))


def test_two_writers_of_one_day_do_not_meet(folder: Path) -> None:
    """The second is refused and leaves the first one's lines alone; when that has ended it goes on behind them."""
    first, second = kept(folder, 1, 2, turn=True), KeptLooks(folder)
    first.keep(b'["line",3]')
    for _ in range(2):
        with pytest.raises(NotKept, match=f"process {os.getpid()} keeps the recording"):
            second.open(DAY)
        second.keep(b'["line",99]')
        second.turn()
    first.keep(b'["line",4]')
    assert found(folder) == [1, 2, 3, 4]
    let_go(first)
    assert second.open(DAY) > 0
    second.keep(b'["line",5]')
    assert found(folder) == [1, 2, 3, 4, 5]


def test_two_writers_without_the_lock_would_be_found(folder: Path) -> None:
    """Seeded mistake: where the lock file is gone both keep the day, and a line that was kept is not read."""
    first = kept(folder, 1, 2)
    (folder / f"{DAY}.lock").unlink()
    second = kept(folder, 3)
    first.keep(b'["line",4]')
    first.turn()
    second.keep(b'["line",5]')
    assert found(folder) == [1, 2, 3, 4]


def _cut_line(folder: Path) -> None:
    part = folder / f"{DAY}.part"
    part.write_bytes(part.read_bytes()[:-4])


def _cut_member(folder: Path) -> None:
    """A minute was being compressed: its member is cut off, its part still there."""
    path, part = path_of(folder, DAY), folder / f"{DAY}.part"
    path.write_bytes(path.read_bytes() + gzip.compress(part.read_bytes())[:-9])


def _compressed_twice(folder: Path) -> None:
    """The member was written whole, and the part not emptied yet."""
    path, part = path_of(folder, DAY), folder / f"{DAY}.part"
    path.write_bytes(path.read_bytes() + gzip.compress(part.read_bytes()))


@pytest.mark.parametrize(
    ("damage", "stays"),
    [(_cut_line, [1, 2, 3]), (_cut_member, [1, 2, 3, 4]), (_compressed_twice, [1, 2, 3, 4])],
)
def test_what_was_cut_off_costs_nothing_else(folder: Path, damage: Callable[[Path], None], stays: list[int]) -> None:
    """A line or a minute that was cut off leaves every other line, none twice, for reading and for whoever goes on."""
    looks = kept(folder, 1, 2, turn=True)
    looks.keep(b'["line",3]')
    looks.keep(b'["line",4]')
    let_go(looks)
    damage(folder)
    assert found(folder) == stays
    let_go(kept(folder, 5, turn=True))
    assert found(folder) == [*stays, 5]


def test_a_reader_of_the_first_minute_alone_would_be_found(folder: Path) -> None:
    """Where only the first gzip member is read, as a plain inflate does, minutes are missing: the file has several."""
    looks = kept(folder, 1, turn=True)
    looks.keep(b'["line",2]')
    looks.turn()
    assert path_of(folder, DAY).read_bytes().count(b"\x1f\x8b\x08") == 2
    assert found(folder) == [1, 2]


def test_a_full_disk_ends_the_recording_and_keeps_what_was_there() -> None:
    """A line that the disk does not take whole is taken back; what was kept before can be read."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.one_machine.test_looks"], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "takes no more" in done.stdout


def _full_disk() -> None:
    from tempfile import TemporaryDirectory

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / WANTED).touch()
        looks = kept(folder, 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))
        try:
            for number in range(2, 20):
                looks.keep(b'["line",%d]' % number)
        except NotKept as problem:
            sys.stdout.write(problem.detail)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        numbers = found(folder)
        assert numbers == list(range(1, len(numbers) + 1)), numbers
        assert 1 < len(numbers) < 19
        let_go(kept(folder, 99))
        assert found(folder) == [*numbers, 99]


def test_a_folder_that_cannot_be_looked_at_refuses_the_recording(tmp_path: Path) -> None:
    """What the system answers where it is asked whether a recording is wanted costs the recording alone."""
    with pytest.raises(NotKept, match="takes no more"):
        KeptLooks(tmp_path / ("x" * 300)).open(DAY)


if __name__ == "__main__":
    os.umask(0o077)
    _full_disk()
