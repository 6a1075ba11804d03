"""What one stack chose: typed, with ranges, and every problem in one message before any resource is registered."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.components.names import MAX_ACCOUNT, MAX_NAME, host_name, push_account
from shared import settings
from shared.errors import ConfigError
from shared.topology import Topology

NAMESPACE = "etrade-strategy"
PROJECT, REGION = "gcp:project", "gcp:region"
PRODUCTION = "production"
SANDBOX = "ETRADE_SANDBOX"
CALLBACK, SIGN_IN = "ETRADE_OAUTH_CALLBACK_URL", "STRATEGY_SIGN_IN_URL"
A_YEAR = 365
MAX_EMAILS = 5  # of a budget, the strictest that is told anything

_PROJECT_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_REGION = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
_NUMBER = re.compile(r"[1-9][0-9]{5,14}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9]+([.-][A-Za-z0-9]+)*\.[A-Za-z]{2,}")
_BILLING = re.compile(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}")
_SHOWN = 60
EXAMPLE_EMAIL = "owner@example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One stack. An empty `owner` keeps the sign-in closed, an empty `billing_account` leaves out the budget.

    `generation` is part of the names that Google keeps for a while after they were deleted; `source` is a checkout
    whose archives are deployed instead of this one's.
    """

    stack: str
    project: str
    region: str
    project_number: str
    owner: str
    alert_emails: tuple[str, ...]
    billing_account: str
    budget: int
    generation: int
    protect: bool
    customer_keys: bool
    trail_days: int
    callback_registered: bool
    settings: Mapping[str, str]
    source: str


def read(given: Mapping[str, str], *, stack: str, topology: Topology) -> Deployment:
    """Read a stack's configuration, as Pulumi keeps it: texts, JSON where a value has parts.

    Raises ConfigError with every problem.
    """
    values: dict[str, Any] = {"stack": stack}
    problems = [f"{name} is not known" for name in sorted(given) if name not in _VALUES and _is_ours(name)]
    for name, (field, parse, default, hint) in _VALUES.items():
        raw = given.get(name, default)
        if raw is None:
            problems.append(f"{name} is not set: {hint}")
            continue
        try:
            values[field] = parse(raw)
        except _Unquoted as wrong:
            problems += [f"{name}: {one}" for one in wrong.args]
        except ValueError:
            problems.append(f"{name}={raw[:_SHOWN]!r} cannot be used: {hint}")
    if "settings" in values or f"{NAMESPACE}:settings" not in given:
        problems += _settings_problems(values.get("settings", {}))
    problems += _agreement(values, topology)
    if values.get("protect") is False and f"{NAMESPACE}:trailDays" in given:
        problems.append("trailDays is set, but only a protected stack keeps a trail of its own: leave it out")
    if problems:
        raise ConfigError(tuple(problems))
    return Deployment(**values)


def left_over(chosen: Deployment) -> tuple[str, ...]:
    """Name the example's values that a stack of another project still has, each with what it would do."""
    if chosen.project == "example-project":
        return ()
    found = {
        "projectNumber": (
            chosen.project_number,
            "123456789012",
            "`cloud-up` would grant to another project's agents, and fail",
        ),
        "owner": (chosen.owner, EXAMPLE_EMAIL, "the page would be told to be somebody else's"),
        "alertEmails": (EXAMPLE_EMAIL in chosen.alert_emails, True, "alerts would reach nobody"),
        "billingAccount": (chosen.billing_account, "000000-000000-000000", "no budget can be made on it"),
    }
    return tuple(
        f"{name} is still the example's: {why}" for name, (own, example, why) in found.items() if own == example
    )


def _is_ours(name: str) -> bool:
    return name.startswith(f"{NAMESPACE}:")


def _settings_problems(chosen: Mapping[str, str]) -> Sequence[str]:
    """Judge the functions' settings by the functions' own rules; a name that they do not read is a problem too."""
    unknown = [f"settings: {name} is no setting of the functions" for name in sorted(set(chosen) - settings.NAMES)]
    if CALLBACK in chosen:
        unknown.append(f"settings: {CALLBACK} is computed; set callbackRegistered instead")
    if SIGN_IN in chosen:
        unknown.append(f"settings: {SIGN_IN} is computed; leave it out")
    unknown += [f"settings: {name} is empty; leave it out" for name, value in sorted(chosen.items()) if not value]
    refused = (*settings.problems_of(settings.load, chosen), *settings.network_problems(chosen))
    return [*unknown, *(f"settings: {problem}" for problem in refused)]


def _agreement(values: Mapping[str, Any], topology: Topology) -> list[str]:
    """Judge what single values cannot show."""
    problems = []
    if values["stack"] == PRODUCTION or values.get("settings", {}).get(SANDBOX) == "false":
        why = "a stack that uses E*TRADE's production"
        if values.get("protect") is False:
            problems.append(f"protect is false: {why} is protected")
        if values.get("trail_days", A_YEAR) < A_YEAR:
            problems.append(f"trailDays is too short: {why} keeps its audit trail for a year or longer")
        if values.get("alert_emails") == ():
            problems.append(f"alertEmails is empty: {why} has somebody who is told")
    if values.get("callback_registered") and not values.get("owner"):
        problems.append("callbackRegistered is true without an owner: the sign-in is closed to everybody")
    number = values.get("project_number", "")
    for one in topology.functions:
        if len(host_name(one.name, number)) > MAX_NAME:
            problems.append(f"{one.name}: the first part of its address has more than {MAX_NAME} characters")
        if len(push_account(one.name)) > MAX_ACCOUNT:
            problems.append(f"{one.name}: the name of its account has more than {MAX_ACCOUNT} characters")
    return problems


def _matching(pattern: re.Pattern[str], *, empty: bool = False) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if not (pattern.fullmatch(raw) or (empty and not raw)):
            raise ValueError(raw)
        return raw

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not (re.fullmatch("[0-9]{1,9}", raw) and low <= int(raw) <= high):
            raise ValueError(raw)
        return int(raw)

    return parse


def _flag(raw: str) -> bool:
    if raw not in ("true", "false"):
        raise ValueError(raw)
    return raw == "true"


def _emails(raw: str) -> tuple[str, ...]:
    found = json.loads(raw)
    if not isinstance(found, list) or not all(isinstance(one, str) and _EMAIL.fullmatch(one) for one in found):
        raise ValueError(raw)
    if len(set(found)) > MAX_EMAILS:
        raise ValueError(raw)
    return tuple(dict.fromkeys(found))


class _Unquoted(ValueError):
    """Entries that YAML did not take for texts, one message each."""


def _mapping(raw: str) -> Mapping[str, str]:
    found = json.loads(raw)
    if not isinstance(found, dict):
        raise ValueError(raw)
    other = {name: json.dumps(value) for name, value in found.items() if not isinstance(value, str)}
    if other:
        told = (f"{name} is {said[:_SHOWN]}, which is no text: quote it" for name, said in sorted(other.items()))
        raise _Unquoted(*told)
    return found


_VALUES: dict[str, tuple[str, Callable[[str], Any], str | None, str]] = {
    PROJECT: ("project", _matching(_PROJECT_ID), None, "the id of the Google Cloud project, such as my-desk-1"),
    REGION: ("region", _matching(_REGION), None, "a region of Cloud Run and Firestore, such as us-east4"),
    f"{NAMESPACE}:projectNumber": (
        "project_number", _matching(_NUMBER), None, "the project's number, which the console shows beside its id",
    ),
    f"{NAMESPACE}:owner": (
        "owner", _matching(_EMAIL, empty=True), "", "the owner's Google account; empty keeps the sign-in closed",
    ),
    f"{NAMESPACE}:alertEmails": (
        "alert_emails", _emails, "[]", f"a list of up to {MAX_EMAILS} addresses that alerts are sent to",
    ),
    f"{NAMESPACE}:billingAccount": (
        "billing_account", _matching(_BILLING, empty=True), "", "the billing account's id; empty means no budget",
    ),
    f"{NAMESPACE}:budget": (
        "budget", _whole(1, 10_000_000), "50",
        "an amount a month in the billing account's currency, a whole number from 1 to 10000000",
    ),
    f"{NAMESPACE}:generation": ("generation", _whole(1, 9_999), "1", "a whole number from 1 to 9999"),
    f"{NAMESPACE}:protect": ("protect", _flag, None, "true or false"),
    f"{NAMESPACE}:customerKeys": ("customer_keys", _flag, "false", "true or false"),
    f"{NAMESPACE}:trailDays": ("trail_days", _whole(1, 3_650), str(A_YEAR), "days, a whole number from 1 to 3650"),
    f"{NAMESPACE}:callbackRegistered": (
        "callback_registered", _flag, "false", "true as soon as E*TRADE has registered the callback address",
    ),
    f"{NAMESPACE}:settings": ("settings", _mapping, None, "the functions' settings, each a text"),
    f"{NAMESPACE}:source": ("source", str, "", "a checkout to build the archives from; empty means this one"),
}  # fmt: skip
