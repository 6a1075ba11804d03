"""Texts with which somebody would lead the owner to a page of theirs, and notices that are full of them."""

import re
from dataclasses import fields, replace
from typing import Any

from shared.domain.telling.notices import Notice

EVIL = (
    "https://etrade-login.example/start#2", "HTTP://LOGIN.EXAMPLE", "hxxp:\\\\login.example\\a", "ftp://10.0.0.7/a",
    "etrade-login.example/start", "www.login.example", "login.co.uk", "me@login.example", "mailto:me@login.example",
    "//login.example/a", "https://intranet/start", "app://open", "203.0.113.9/start", "http://3405803785/",
    "login\u3002example", "login\uff0eexample", "login\uff61example", "login\u2024example", "login.\u200bexample",
    "\uff4c\uff4f\uff47\uff49\uff4e.\uff45\uff58ample", "login.ex\u00adample", "https:\u2060//intranet",
    "https:\n//login.example", "LOGIN.Example", "\u043b\u043e\u0433.\u0440\u0444", "a.\u0cad\u0cbe\u0cb0\u0ca4",
    "[sign in](//login.example)", "<a href='https://login.example'>sign in</a>", "x.B.example", "a.Bc",
    "login.xn--p1ai",
)  # fmt: skip
"""Addresses as phones, mail programs and chats make links of, and as they were disguised to come through."""
_SEEN_AS_LINK = re.compile(
    r"[:/\\][/\\]"  # a scheme, or none
    r"|[^\s.\u3002][.\u3002](?:[^\W\d_][^\s.,;:)/]|xn--)"  # a name with its last part, of two letters or more
    r"|[0-9]+[.\u3002][0-9]+[.\u3002][0-9]+[.\u3002][0-9]+"  # a number of four
)


def tempting(text: str) -> list[str]:
    """List what a program could take for an address, after it dropped what shows nothing."""
    shown = "".join(one for one in text if one.isprintable() or one == "\n")
    return [found[0] for found in _SEEN_AS_LINK.finditer(shown)]


def laced(notice: Notice, evil: str) -> Notice:
    """Give a notice with a text in every field that takes any text, which is what a message of anybody's can bring."""
    changes: dict[str, Any] = {}
    for one in fields(notice):
        held = getattr(notice, one.name)
        if type(held) is str:
            changes[one.name] = evil
        elif isinstance(held, tuple) and all(type(each) is str for each in held):
            changes[one.name] = (evil,)
    return replace(notice, **changes)
