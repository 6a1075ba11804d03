"""The audit trail as a file: canonical, complete, verifiable, and atomic."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.simulated_day import audit
from infra.simulated_day.files import require_writable, write_atomically
from infra.simulated_day.problems import UserError
from shared.codec import encode
from shared.ports import Document
from tests.simulated_day.sample import DAY, Sample, quiet_day


class Shelf:
    """A store of documents that are given."""

    def __init__(self, sample: Sample, *, backwards: bool = False) -> None:
        events = [(f"audit/{event.chain}:{event.seq:06d}", encode(event)) for event in sample.events]
        seal = {"session": DAY.isoformat(), "heads": dict(sample.book().seals)}
        self._rows = {
            "orders": [(f"orders/{order.intent_id}", encode(order)) for order in sample.orders],
            "audit": events[::-1] if backwards else events,
            "seals": [(f"seals/{DAY}", seal)],
        }

    def query(self, collection: str) -> list[Document]:
        """Give every document of a collection."""
        return [Document(path=path, data=data, version="1") for path, data in self._rows.get(collection, [])]


def test_an_export_can_be_read_and_verified(tmp_path: Path) -> None:
    """Everything that is exported is read back, and a clean trail holds."""
    day = quiet_day()
    path = tmp_path / audit.FILE
    path.write_bytes(audit.export(Shelf(day)))
    verdict = audit.verify(*audit.read(path))
    assert (verdict.events, verdict.chains, verdict.unsealed, verdict.broken) == (len(day.events), 7, 0, ())


def test_equal_events_have_equal_bytes() -> None:
    """The order in which a store gives its documents does not show in the export, and the seals come last."""
    content = audit.export(Shelf(quiet_day()))
    assert content == audit.export(Shelf(quiet_day(), backwards=True))
    assert b'"heads"' in content.splitlines()[-1]


def test_every_cut_line_is_noticed(tmp_path: Path) -> None:
    """A trail from which any one event was taken out is broken."""
    lines = audit.export(Shelf(quiet_day())).splitlines(keepends=True)
    path = tmp_path / audit.FILE
    for place in range(len(lines) - 1):
        path.write_bytes(b"".join(lines[:place] + lines[place + 1 :]))
        assert audit.verify(*audit.read(path)).broken, lines[place]


def test_a_missing_seal_is_said() -> None:
    """A trail without seals holds, and the verification says what it could not see."""
    day = quiet_day()
    verdict = audit.verify(day.events, {})
    assert not verdict.broken
    *_, last = audit.sentences(verdict, Path("one.jsonl"))
    assert last == "7 chains without a seal: events missing at their end cannot be detected."


def test_each_difference_from_the_state_is_named_once() -> None:
    """A chain that is missing, cut, or of no order of the run is one sentence each; the run's own trail is none."""
    day, store = quiet_day(), Shelf(quiet_day())
    missing, cut = (order.intent_id for order in day.orders[:2])
    assert audit.differences(day.events, store) == []
    last = [event for event in day.events if event.chain == cut][-1]
    strange = replace(day.events[0], chain="nobody's")
    kept = [event for event in day.events if event.chain != missing and event != last]
    assert audit.differences([*kept, strange], store) == [
        f"Chain {missing} of the run's state is not in the trail.",
        "Chain nobody's is not in the run's state.",
        f"Chain {cut} does not end where its order stands in the run's state.",
    ]


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"chain":"x"}', b"\xff"])
def test_an_unreadable_line_is_named(tmp_path: Path, line: bytes) -> None:
    """A line that is no event is refused with its number."""
    path = tmp_path / audit.FILE
    path.write_bytes(audit.export(Shelf(quiet_day())).splitlines(keepends=True)[0] + line + b"\n")
    with pytest.raises(UserError, match="line 2"):
        audit.read(path)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A file that cannot be written is refused before the work and leaves no trace of the attempt."""
    for target in (tmp_path / "missing" / "out.json", tmp_path):
        with pytest.raises(UserError):
            require_writable(target)
    with pytest.raises(UserError):
        write_atomically(tmp_path / "missing" / "out.json", b"x")
    require_writable(tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


def test_a_write_replaces_in_one_step(tmp_path: Path) -> None:
    """A file that exists is replaced whole, and no temporary file stays."""
    write_atomically(tmp_path / "out.json", b"old")
    write_atomically(tmp_path / "out.json", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]
