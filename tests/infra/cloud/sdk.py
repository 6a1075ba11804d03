"""Holds registered inputs against the annotations of the installed Google package: the provider's schema without it.

The engine takes whatever a dictionary says; the provider refuses it minutes later. Here every property at any depth
must exist, be there when it is required, and have its type.
"""

import importlib
import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pulumi import _types as annotations

PACKAGE = "pulumi_gcp"


def faults(typ: str, inputs: Mapping[str, Any]) -> list[str]:
    """Name everything about a resource's inputs that the package does not know."""
    return list(_of_class(arguments(typ), inputs, typ.rpartition(":")[2]))


def arguments(typ: str) -> type:
    """Give the class that describes the inputs of a type; raises AttributeError for an unknown one."""
    _, module, name = typ.split(":")
    found: type = getattr(importlib.import_module(f"{PACKAGE}.{module.partition('/')[0]}"), f"{name}Args")
    return found


def used(typ: str, inputs: Mapping[str, Any]) -> set[str]:
    """Give every property that the inputs name, as `Class.property`."""
    return set(_used(arguments(typ), inputs))


def _of_class(described: type, given: Mapping[str, Any], path: str) -> Iterator[str]:
    types: Mapping[str, Any] = annotations.input_type_types(described)
    for name, value in given.items():
        if name in types:
            yield from _of_type(types[name], value, f"{path}.{name}")
        else:
            yield f"{path}.{name} is unknown"
    names = annotations.input_type_py_to_pulumi_names(described)
    for parameter in inspect.signature(described).parameters.values():
        if parameter.default is parameter.empty and names[parameter.name] not in given:
            yield f"{path}.{names[parameter.name]} is missing"


def _of_type(wanted: Any, value: Any, path: str) -> Iterator[str]:
    wanted = _plain(wanted)
    origin = typing.get_origin(wanted)
    if isinstance(wanted, type) and annotations.is_input_type(wanted):
        if isinstance(value, Mapping):
            yield from _of_class(wanted, value, path)
        else:
            yield f"{path} is no object"
    elif origin in (list, Sequence):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for part in value:
            yield from _of_type(typing.get_args(wanted)[0], part, f"{path}[]")
    elif origin in (dict, Mapping):
        if not isinstance(value, Mapping):
            yield f"{path} is no map"
            return
        for name, part in value.items():
            yield from _of_type(typing.get_args(wanted)[1], part, f"{path}.{name}")
    elif not _is_scalar(wanted, value):
        yield f"{path} is {type(value).__name__}, not {getattr(wanted, '__name__', wanted)}"


def _is_scalar(wanted: Any, value: Any) -> bool:
    """Tell whether a value on the wire, where every number is a double, is one of a plain type."""
    if wanted is bool:
        return isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted is str:
        return isinstance(value, str)
    return not isinstance(value, str | int | float | bool | Mapping | list)  # an asset


def _plain(wanted: Any) -> Any:
    """Take away what says that a value may be absent."""
    if typing.get_origin(wanted) is typing.Union or isinstance(wanted, type(int | str)):
        parts = [part for part in typing.get_args(wanted) if part is not type(None)]
        return _plain(parts[0])
    return wanted


def _used(described: type, given: Mapping[str, Any]) -> Iterator[str]:
    types: Mapping[str, Any] = annotations.input_type_types(described)
    for name, value in given.items():
        yield f"{described.__name__}.{name}"
        wanted = _plain(types[name])
        parts = value if isinstance(value, list) else [value]
        inner = _plain(typing.get_args(wanted)[0]) if typing.get_origin(wanted) in (list, Sequence) else wanted
        if isinstance(inner, type) and annotations.is_input_type(inner):
            for part in parts:
                yield from _used(inner, part)
