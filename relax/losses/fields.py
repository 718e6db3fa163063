"""Whether the parameters of a loss are of the kinds that its annotations say, whoever made the object."""

from __future__ import annotations

from functools import cache
from typing import Any

from relax.errors import InputError, among, expect, worded
from relax.losses.loss import Loss
from relax.losses.parameters import LISTS, NUMBERS, Parameter, parameters
from relax.norms import Norm

WANTED = {int: "a whole number", float: "a number", str: "a text", Norm: "a norm such as Ball()"}


def check_fields(loss: Loss) -> None:
    """Refuse a loss with a parameter of another kind; kinds that the package does not know pass.

    Raises
    ------
    InputError
        In one sentence, which names the parameter.
    """
    for parameter in _parameters(type(loss)):
        value = getattr(loss, parameter.name)
        if not (value is None and parameter.optional):
            _check(parameter, value, f"{parameter.name} of loss {loss.name}")


@cache
def _parameters(loss: type[Any]) -> tuple[Parameter, ...]:
    return tuple(parameters(loss))


def _check(parameter: Parameter, value: Any, what: str) -> None:
    kind = parameter.kind
    if isinstance(kind, tuple):
        among(value, kind, what)
    elif kind in (NUMBERS, LISTS):
        listed = isinstance(value, tuple) and all(
            isinstance(part, int if kind == NUMBERS else tuple) for part in value
        )
        inner = value if kind == LISTS and listed else ()
        if not listed or not all(isinstance(number, int) for part in inner for number in part):
            raise InputError(f"{what} is {worded(value)}; give tuples of whole numbers")
    elif kind in WANTED:
        expect(value, kind, what, f"give {WANTED[kind]}")
