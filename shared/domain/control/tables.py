"""Tables whose names nobody knows beforehand: which strategies are used, each with the parameters that were given."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
Plain = Decimal | int | bool
"""What a parameter may be given as."""
Given = Mapping[str, Plain]
"""The parameters of one strategy that were given, by their names; its file says the others."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_A_NAME = "small letters, digits and _, a letter first, 40 at the most"


class Table(dict[str, T]):
    """A mapping in the order of its names that nobody changes; it is written, compared and copied as any dict is."""

    def __init__(self, rows: Mapping[str, T] | Iterable[tuple[str, T]] = ()) -> None:
        super().__init__(sorted(dict(rows).items()))

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a configuration is not changed: make another")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[type["Table[T]"], tuple[dict[str, T]]]:
        return type(self), (dict(self),)


def strategies_of(rows: Mapping[str, Given]) -> Table[Given]:
    """Give the table of the strategies that are used."""
    return Table((name, Table(given)) for name, given in rows.items())


def read(data: object, path: str, problems: list[str]) -> Table[Given]:
    """Read which strategies are used; adds every problem with its place. What a parameter may be, its strategy says."""
    if not isinstance(data, Mapping):
        problems.append(f"{path} must be a table with one table for each strategy that is used")
        return Table()
    problems += [f"{path}.{name} is no name of a strategy: {_A_NAME}" for name in _unnamed(data)]
    problems += [f"{path}.{name} must be a table" for name, given in data.items() if not isinstance(given, Mapping)]
    tables = {name: given for name, given in data.items() if isinstance(given, Mapping)}
    for name, given in tables.items():
        problems += [f"{path}.{name}.{one} is no name of a parameter: {_A_NAME}" for one in _unnamed(given)]
        problems += [
            f"{path}.{name}.{one} must be a number, true or false, not {value!r}"
            for one, value in given.items()
            if not _plain(value)
        ]
    return strategies_of(tables)


def _unnamed(data: Mapping[Any, object]) -> Iterator[object]:
    return (name for name in data if not (isinstance(name, str) and _NAME.fullmatch(name)))


def _plain(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite())
