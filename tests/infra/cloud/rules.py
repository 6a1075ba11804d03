"""Holds registered inputs against what the Google provider refuses at preview, beyond types."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.infra.cloud.capture import leaves

_ONE_OF = re.compile(r"one of `([a-zA-Z_0-9,]+)` must be specified")
_MEMBER = re.compile(
    r"(user|serviceAccount|group):[^@\s]+@[^@\s]+|domain:\S+|allUsers|allAuthenticatedUsers|principal(Set)?://\S+"
)
_NOTES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("an IAM member", _MEMBER),
    ("projects/PROJECT/serviceAccounts/EMAIL", re.compile(r"projects/[^/]+/serviceAccounts/[^@/]+@[^@/]+")),
    ("to be a domain", re.compile(r"[a-z]+(\.[a-z]+)+")),
    ("rotation period", re.compile(r"[0-9]+(\.[0-9]+)?s")),
)


def faults(typ: str, inputs: Mapping[str, Any], rules: Mapping[str, Any]) -> list[str]:
    """Name everything about a resource's inputs that the provider refuses."""
    rule = rules.get(typ, {})
    missing = [need for need in rule.get("needs", ()) if not _answered(need, inputs)]
    values = rule.get("values", {})
    found = [
        f"{path}={value!r}: {wanted}"
        for path, value in leaves(inputs)
        for wanted in [values.get(path.removesuffix("[]"), {})]
        if not _fits(value, wanted)
    ]
    return [*missing, *found]


def _answered(need: str, inputs: Mapping[str, Any]) -> bool:
    found = _ONE_OF.search(need)
    if found is None:
        raise ValueError(f"a need that this check does not understand: {need}")
    return sum(_camel(name) in inputs for name in found[1].split(",")) == 1


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _fits(value: Any, wanted: Mapping[str, Any]) -> bool:
    return all(_judged(value, wanted))


def _judged(value: Any, wanted: Mapping[str, Any]) -> Iterator[bool]:
    if "one_of" in wanted:
        yield value in wanted["one_of"]
    if "pattern" in wanted:
        yield re.search(wanted["pattern"], str(value)) is not None
    for said, pattern in _NOTES:
        if said in wanted.get("note", ""):
            yield pattern.fullmatch(str(value)) is not None
