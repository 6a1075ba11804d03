"""The same content in XML, which E*TRADE speaks unless JSON is asked for (fact sheet, sections 0, 4.3-4.5).

Nothing is spelled twice: an answer in JSON becomes XML as it stands, and a body in XML becomes the JSON that it means
before anything reads it. A list has no element of its own in XML; its members stand one after the other. So a body
tells a list of one from an object by its name alone, which is why the lists of a request are named here.
"""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from infra.brokersim.wire import JSON, XML, XML_HEAD, Answer

_LISTS = frozenset({"Order", "Instrument", "PreviewIds"})


def in_xml(answer: Answer) -> Answer:
    """The answer in XML if it is in JSON; numbers keep the digits that they have there."""
    if answer.content_type != JSON or not answer.body:
        return answer
    content: dict[str, Any] = json.loads(answer.body, parse_float=str, parse_int=str)
    text = "".join(_element(name, value) for name, value in content.items())
    return Answer(answer.status, XML, f"{XML_HEAD}{text}".encode())


def json_of(body: bytes) -> bytes:
    """The body in JSON that one in XML means; nothing for what is no XML, or has a definition of a type in it."""
    if b"<!" in body:
        return b""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - without a definition of a type there are no entities to expand
    except ElementTree.ParseError:
        return b""
    return json.dumps({root.tag: _value(root)}).encode()


def _element(name: str, value: object) -> str:
    match value:
        case list():
            return "".join(_element(name, one) for one in value)
        case dict():
            inside = "".join(_element(each, one) for each, one in value.items())
        case bool():
            inside = str(value).lower()
        case _:
            inside = escape(str(value))
    return f"<{name}>{inside}</{name}>"


def _value(element: ElementTree.Element) -> object:
    """Text, or an object of what is inside; what repeats, or is a list in JSON, as a list."""
    if not len(element):
        return element.text or ""
    found: dict[str, list[object]] = {}
    for child in element:
        found.setdefault(child.tag, []).append(_value(child))
    return {name: values if name in _LISTS or len(values) > 1 else values[0] for name, values in found.items()}
