"""What a value of ours is: fields that never change, compared, hashed and shown by what they hold.

Some 400 kinds of values are ours, and each process makes those that it uses at its start. As a frozen dataclass a kind
costs a millisecond and a half, which every command and every cold start paid some 250 times; as a struct of msgspec,
which the codec needs anyway, it costs a twentieth of one, and each value of it is made several times as fast. So
`frozen` makes structs, and lets the standard library take them for the dataclasses that they read like: `replace`,
`fields` and `is_dataclass` work, with fields that are written down when somebody first asks for them.

Dataclasses remain: kinds that are changed, that others extend, that say more of a field than its default (hidden, not
compared, a dictionary of its own), an owner's own parameters, and what the simulated broker and Pulumi's program use,
which have no msgspec.
"""

from collections.abc import Callable, Iterator
from dataclasses import Field, field, make_dataclass
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_origin, overload

import msgspec

T = TypeVar("T")
_STRUCTS: Any = type(msgspec.Struct)
_OF_EVERY_CLASS = ("__dict__", "__weakref__")


class _Fields:
    """The fields of a kind as a dataclass keeps them, made at the first look."""

    def __init__(self, declared: list[tuple[str, Any, Any]]) -> None:
        self._declared = declared

    def __get__(self, value: object, kind: Any) -> dict[str, Field[Any]]:
        likewise: Any = make_dataclass(
            kind.__name__, self._declared, init=False, repr=False, eq=False, kw_only=True, namespace={"__doc__": ""}
        )
        kind.__dataclass_fields__ = likewise.__dataclass_fields__
        return kind.__dataclass_fields__  # type: ignore[no-any-return]


@overload
@dataclass_transform(frozen_default=True, kw_only_default=True)
def frozen(kind: type[T], /) -> type[T]: ...
@overload
@dataclass_transform(frozen_default=True, kw_only_default=True)
def frozen(*, kw_only: bool = True, gc: bool = True) -> Callable[[type[T]], type[T]]: ...
def frozen(kind: Any = None, /, *, kw_only: bool = True, gc: bool = True) -> Any:
    """Make the class a kind of values whose fields never change; TypeError where it cannot be one.

    Fields are given by name, and also in their order where `kw_only` is False. `gc=False` is for kinds of which
    thousands live and none can lead back to itself: the collector of cycles passes them by.
    """
    if kind is None:
        return lambda later: _made(later, kw_only=kw_only, gc=gc)
    return _made(kind, kw_only=kw_only, gc=gc)


def _made(kind: type[Any], *, kw_only: bool, gc: bool) -> type[Any]:
    if isinstance(kind, _STRUCTS):
        raise TypeError(f"{kind.__name__} extends a kind of values; who is extended is a dataclass")
    body = {name: each for name, each in kind.__dict__.items() if name not in _OF_EVERY_CLASS}
    hints = kind.__annotations__
    own = [(name, hint) for name, hint in hints.items() if ClassVar not in {hint, get_origin(hint)}]
    if any(isinstance(body.get(name), Field) for name, _ in own):
        raise TypeError(f"{kind.__name__} says more of a field than its default: make it a dataclass")
    body |= {"__annotations__": hints, "__qualname__": kind.__qualname__}
    if "__repr__" in body:
        body["__rich_repr__"] = _no_field
    bases = (msgspec.Struct, *(base for base in kind.__bases__ if base is not object))
    made: type[Any] = _STRUCTS(kind.__name__, bases, body, frozen=True, kw_only=kw_only, gc=gc)
    made.__dataclass_fields__ = _Fields([(name, hint, body.get(name, field())) for name, hint in own])
    return made


def _no_field(_: object) -> Iterator[object]:
    """Show rich no field of a kind that has a text of its own: a struct would show all of them, secrets too."""
    return iter(())
