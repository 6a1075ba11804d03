"""The Journal port as a file of JSON lines, counted while they are written.

Lines wait in memory until there are enough of them, or one is an error: a crash loses what waits and nothing
else. A disk that refuses never disturbs an invocation: what could not be written waits on, up to `MAX_WAITING`
lines, and the oldest beyond are lost; `close` says how many were.
"""

from collections import Counter
from pathlib import Path

import msgspec

from infra.one_machine.kernel import Kernel
from shared.errors import StoreDown
from shared.ports import Scalar, Severity
from shared.trace import trace_id

MAX_WAITING = 10_000

_QUIET = frozenset({Severity.INFO, Severity.WARNING})
_ENCODER = msgspec.json.Encoder()

Line = dict[str, Scalar]


class FileJournal:
    """Writes a state folder's journal and counts each event; those named in `keep` are kept whole."""

    def __init__(
        self, path: Path, kernel: Kernel, *, keep: frozenset[str] = frozenset(), flush_every: int = 256
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[Line] = []
        self.lost = 0
        self._kernel = kernel
        self._keep = keep
        self._flush_every = flush_every
        self._waiting: list[bytes] = []
        try:
            self._file = path.open("a+b", buffering=0)
            self._torn = self._ends_torn()
        except OSError as problem:
            raise StoreDown(f"the journal cannot be opened: {problem.strerror}") from problem

    def of(self, function: str) -> "FunctionJournal":
        """Give the Journal port of one function."""
        return FunctionJournal(self, function)

    def line(self, function: str, event: str, severity: Severity, fields: Line) -> None:
        """Write one line: at, severity, event, function, trace, and fields, which may replace the trace."""
        line: Line = {
            "at": self._kernel.now().isoformat(),
            "severity": severity.value,
            "event": event,
            "function": function,
            "trace": trace_id(),
            **fields,
        }
        self.counts[event] += 1
        if event in self._keep:
            self.kept.append(line)
        self._waiting.append(_ENCODER.encode(line))
        if len(self._waiting) >= self._flush_every or severity not in _QUIET:
            self.flush()

    def flush(self) -> None:
        """Write what waits; what the disk refuses waits on."""
        if not self._waiting:
            return
        raw = b"\n" * self._torn + b"\n".join(self._waiting) + b"\n"
        try:
            written = self._file.write(raw)
        except OSError:
            written = 0
        if not written:
            self._keep_newest()
            return
        del self._waiting[: raw.count(b"\n", self._torn, written)]  # a line that was cut is written again, whole
        self._torn = raw[written - 1 : written] != b"\n"

    def _keep_newest(self) -> None:
        beyond = max(0, len(self._waiting) - MAX_WAITING)
        del self._waiting[:beyond]
        self.lost += beyond

    def close(self) -> None:
        """Write what waits and close the file; raises StoreDown when lines were lost."""
        if self._file.closed:
            return
        self.flush()
        self._file.close()
        self.lost += len(self._waiting)
        if self.lost:
            raise StoreDown(f"the disk refused {self.lost} journal lines")

    def _ends_torn(self) -> bool:
        """Tell whether the file ends within a line, as a kill may leave it."""
        if self._file.tell() == 0:
            return False
        self._file.seek(-1, 2)
        return self._file.read(1) != b"\n"


class FunctionJournal:
    """The Journal port of one function."""

    def __init__(self, journal: FileJournal, function: str) -> None:
        self._journal = journal
        self._function = function

    def line(self, event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> None:
        """Write one line."""
        self._journal.line(self._function, event, severity, fields)
