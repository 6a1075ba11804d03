"""What goes over the wire whatever the endpoint: an answer, a refusal, and the shapes of E*TRADE's errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Any, NamedTuple

JSON = "application/json;charset=utf-8"
XML = "application/xml;charset=utf-8"
HTML = "text/html;charset=utf-8"
FORM = "application/x-www-form-urlencoded;charset=utf-8"
TEXT = "text/plain;charset=utf-8"

XML_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'

CATCH_ALL = "The requested service is not currently available, please try after sometime."
THROTTLED = "Number of requests exceeded the rate limit set"


class Answer(NamedTuple):
    """One HTTP answer, complete."""

    status: int
    content_type: str
    body: bytes


class Refused(Exception):
    """An endpoint's refusal with E*TRADE's own number and text; `code` is None where E*TRADE sends none."""

    def __init__(self, message: str, *, code: int | None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class AuthRefused(Exception):
    """A call whose OAuth parameters do not hold; `message` is the text of section 1.6 of the fact sheet."""

    def __init__(self, message: str, *, status: int = 401, coded: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.coded = coded


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an endpoint gets to see; `suffix` is `.json` if the path had it, as hrefs in answers repeat it."""

    method: str
    query: Mapping[str, str]
    body: bytes
    suffix: str


def json_answer(content: Mapping[str, Any], status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(status, JSON, json.dumps(content, separators=(",", ":")).encode())


def nothing_found() -> Answer:
    """E*TRADE's way to say that there are none: 204 and no body (section 0)."""
    return Answer(204, JSON, b"")


def refusal(error: Refused) -> Answer:
    """A refusal in JSON, without `code` where E*TRADE leaves it out."""
    content = {"message": error.message} if error.code is None else {"code": error.code, "message": error.message}
    return json_answer({"Error": content}, error.status)


def xml_error(error: AuthRefused) -> Answer:
    """An OAuth failure below /v1: XML although JSON was asked for (section 1.6)."""
    code = "<code>0</code>" if error.coded else ""
    body = f"<Error>{code}<message>{escape(error.message)}</message></Error>"
    return Answer(error.status, XML, f"{XML_HEAD}{body}".encode())


def tomcat_page(error: AuthRefused) -> Answer:
    """An OAuth failure below /oauth: a Tomcat error page (section 1.6)."""
    phrase = HTTPStatus(error.status).phrase
    body = (
        '<!doctype html><html lang="en">'
        f"<head><title>HTTP Status {error.status} &ndash; {phrase}</title></head>"
        f"<body><h1>HTTP Status {error.status} &ndash; {phrase}</h1><hr /><p><b>Type</b> Status Report</p>"
        f"<p><b>Message</b> {escape(error.message)}</p></body></html>"
    )
    return Answer(error.status, HTML, body.encode())


def gateway_page(status: int = 502) -> Answer:
    """The page of a gateway that could not reach the API."""
    phrase = HTTPStatus(status).phrase
    body = f"<html><head><title>{status} {phrase}</title></head><body><h1>{status} {phrase}</h1></body></html>"
    return Answer(status, HTML, body.encode())
