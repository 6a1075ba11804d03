"""The journal as Cloud Logging reads it."""

import io
import json
import threading
from typing import Any

import pytest

from shared.gcp.journal import MAX_MESSAGE, MAX_TEXT, CloudJournal
from shared.ports import Scalar, Severity
from shared.trace import serving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def _lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def _written(event: str, severity: Severity = Severity.INFO, **fields: Scalar) -> dict[str, Any]:
    output = io.StringIO()
    CloudJournal("market_scan", project="my-desk", output=output).line(event, severity, **fields)
    (line,) = _lines(output)
    return line


def test_a_line_is_what_cloud_logging_reads() -> None:
    """A line holds severity, message, event, function and its fields, and no trace outside a request."""
    assert _written("order_placed", Severity.WARNING, symbol="AAPL", quantity=3, exit=False, why=None) == {
        "severity": "WARNING",
        "message": "order_placed symbol=AAPL quantity=3 exit=False why=None",
        "event": "order_placed",
        "function": "market_scan",
        "symbol": "AAPL",
        "quantity": 3,
        "exit": False,
        "why": None,
    }


def test_no_text_breaks_its_line() -> None:
    """Line breaks, control characters, separators and broken surrogates stay within one line of plain ASCII."""
    evil = 'a\n{"severity":"INFO"}\r\x00\x1b[31m\x7f\x85\u2028\ud800"'
    output = io.StringIO()
    CloudJournal("f", project="my-desk", output=output).line("x", what=evil)
    text = output.getvalue()
    assert text.endswith("}\n")
    assert all(" " <= character <= "~" for character in text[:-1])
    assert json.loads(text)["what"] == evil.replace("\ud800", "?")


def test_odd_numbers_and_long_texts_fit() -> None:
    """A number that JSON does not know becomes text, and a text of any length is cut."""
    line = _written("x", ratio=float("nan"), most=float("-inf"), detail="d" * 300_000)
    assert (line["ratio"], line["most"], len(line["detail"])) == ("nan", "-inf", MAX_TEXT)
    assert len(line["message"]) == MAX_MESSAGE


def test_a_field_replaces_no_part_of_the_line() -> None:
    """A field called like a part of the line is kept beside it, and `function` may be said anew."""
    line = _written("x", message="mine", function="other")
    assert (line["event"], line["message_"], line["function"]) == ("x", "mine", "other")
    assert line["message"].startswith("x ")


def test_a_line_belongs_to_its_trace() -> None:
    """While a request is served the line names its trace, so that Cloud Logging shows what belongs together."""
    with serving({"traceparent": PARENT}):
        line = _written("x")
    assert line["logging.googleapis.com/trace"] == f"projects/my-desk/traces/{TRACE}"


def test_threads_write_whole_lines() -> None:
    """Lines of many threads come out one by one."""
    output = io.StringIO()
    journal = CloudJournal("f", project="my-desk", output=output)

    def write(party: int) -> None:
        for number in range(200):
            journal.line("x", party=party, number=number, filling="f" * 50)

    threads = [threading.Thread(target=write, args=(party,)) for party in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = _lines(output)
    assert {(line["party"], line["number"]) for line in lines} == {(p, n) for p in range(8) for n in range(200)}
    assert len(lines) == 1_600


def test_a_closed_output_disturbs_nothing() -> None:
    """A line that the output refuses is counted, and nothing is raised."""
    output = io.StringIO()
    journal = CloudJournal("f", project="my-desk", output=output)
    output.close()
    journal.line("x")
    assert journal.lost == 1


def test_standard_output_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without another output, lines go to standard output at once."""
    CloudJournal("f", project="my-desk").line("x")
    assert json.loads(capsys.readouterr().out)["event"] == "x"
