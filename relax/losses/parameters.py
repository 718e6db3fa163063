"""Parameters of losses: as JSON values, exact, and as the command line writes them.

Lists of whole numbers are written 0.0.1.1, lists of such lists 0.1.4.5/2.3.4.5, and @name reads either from a
text file, whose lines are the lists.
"""

from __future__ import annotations

import re
import types
import typing
from dataclasses import MISSING, Field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union

from relax.counts import exact_rational, stated_number
from relax.errors import InputError
from relax.losses.loss import Loss
from relax.norms import NORMS, Norm, norm_of
from relax.numerals import typed_number, typed_whole

NUMBERS, LISTS = tuple[int, ...], tuple[tuple[int, ...], ...]
MOST_SPELLED = 60  # characters of parameters; lists of batches have thousands
FORMS: dict[Any, str] = {NUMBERS: "0.0.1.1", LISTS: "0.1.4.5/2.3.4.5"}


class Parameter(typing.NamedTuple):
    """One parameter of a loss."""

    name: str
    kind: Any  # int, float, str, Norm, a tuple of allowed texts, or NUMBERS or LISTS
    optional: bool
    default: Any


@cache
def parameters(loss: type[Any]) -> tuple[Parameter, ...]:
    """Return the parameters of a loss, in the order of its fields."""
    hints = typing.get_type_hints(loss)
    return tuple(_parameter(field, hints[field.name]) for field in fields(loss))  # type: ignore[arg-type]


def _parameter(field: Field[Any], hint: Any) -> Parameter:
    optional = False
    if typing.get_origin(hint) in (Union, types.UnionType):
        kept = [part for part in typing.get_args(hint) if part is not type(None)]
        optional, hint = len(kept) < len(typing.get_args(hint)), kept[0]
    kind = typing.get_args(hint) if typing.get_origin(hint) is Literal else hint
    default = None if field.default is MISSING else field.default
    return Parameter(field.name, kind, optional, default)


def spelled_default(parameter: Parameter) -> str:
    """Return a default value as the command line writes it."""
    return spelled_value(parameter.default)


def spelled_value(value: Any) -> str:
    """Return a value of a parameter as the command line writes it."""
    if value is None or value == ():
        return "none"
    if isinstance(value, Norm):
        number = value.parameter
        return value.kind if number is None else f"{value.kind}:{number:g}"
    if isinstance(value, tuple):
        return ("/" if isinstance(value[0], tuple) else ".").join(map(spelled_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def spelled(loss: Loss) -> str:
    """Return NAME or NAME:parameter=value,… with parameters that are not at their default, cut if long."""
    values = [(one, getattr(loss, one.name)) for one in parameters(type(loss))]
    said = ",".join(f"{one.name}={spelled_value(value)}" for one, value in values if value != one.default)
    said = said if len(said) <= MOST_SPELLED else f"{said[:MOST_SPELLED]}…"
    return f"{loss.name}:{said}" if said else loss.name


def spelled_kind(parameter: Parameter) -> str:
    """Return the values that a parameter takes, in words."""
    kind = parameter.kind
    if kind in (NUMBERS, LISTS):
        words = f"whole numbers, written {FORMS[kind]}"
    elif isinstance(kind, tuple):
        words = " | ".join(kind)
    elif kind is Norm:
        words = " | ".join(f"{name}:NUMBER" for name in NORMS)
    else:
        words = {int: "whole number", float: "number"}.get(kind, "text")
    return f"{words} | none" if parameter.optional else words


def parse_parameters(loss: type[Any], text: str) -> Loss:
    """Read "parameter=value,…" for a loss.

    Raises
    ------
    InputError
        If there is no such parameter, or its value is not of its kind.
    """
    known = {parameter.name: parameter for parameter in parameters(loss)}
    given: dict[str, Any] = {}
    for item in filter(None, text.split(",")):
        name, equals, value = item.partition("=")
        name = name.strip().replace("-", "_")
        if name not in known:
            raise InputError(f"loss {loss.name} has no parameter {name!r}; {_there(loss)}")
        if not equals:
            wanted = f"{name}=VALUE ({spelled_kind(known[name])})"
            raise InputError(f"parameter {name} of loss {loss.name} has no value; write {wanted}")
        if name in given:
            raise InputError(f"parameter {name} of loss {loss.name} is given twice")
        given[name] = _read(known[name], value.strip(), loss.name)
    return loss(**given)


def _there(loss: type[Any]) -> str:
    there = [f"{one.name} ({spelled_kind(one)})" for one in parameters(loss)]
    return f"it has: {', '.join(there)}" if there else "it has none"


def _read(parameter: Parameter, text: str, loss: str) -> Any:
    """Return the value that a text says, or refuse it by the parameter's name."""
    kind = parameter.kind
    if parameter.optional and text in ("none", ""):
        return None
    try:
        if isinstance(kind, tuple):
            if text not in kind:
                raise ValueError(f"one of: {', '.join(kind)}")
            return text
        if kind is Norm:
            return read_norm(text)
        if kind in (NUMBERS, LISTS):
            return read_numbers(text, kind)
        if kind is int:
            return typed_whole(text)
        return typed_number(text) if kind is float else text
    except InputError as error:
        raise InputError(f"parameter {parameter.name} of loss {loss}: {error}") from error
    except (ValueError, ZeroDivisionError) as error:
        wanted = {int: "a whole number", float: "a number"}.get(kind, str(error))
        raise InputError(f"parameter {parameter.name} = {text!r} of loss {loss} must be {wanted}") from error


def read_numbers(text: str, kind: Any) -> tuple[Any, ...]:
    """Read "0.0.1.1" as `NUMBERS`, "0.1.4.5/2.3.4.5" as `LISTS`, or the file that "@name" names as either.

    Raises
    ------
    ValueError
        If there is no such file, or it is not a text of whole numbers.
    """
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name, or no UTF-8
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ValueError(f"a text file that can be read ({reason.lower()})") from error
    lines = [tuple(filter(None, re.split(r"[.,;\s]+", line))) for line in re.split(r"[/\n]", text)]
    try:
        lists = tuple(tuple(typed_whole(number) for number in line) for line in lines if line)
    except ValueError as error:
        raise ValueError(f"whole numbers, written {FORMS[kind]}") from error
    return lists if kind == LISTS else tuple(number for line in lists for number in line)


def read_norm(text: str) -> Norm:
    """Read "sphere", "ball:2", "ridge:0.01" or "mean-square:1".

    Raises
    ------
    InputError
        If it is none of these.
    """
    kind, colon, number = text.partition(":")
    if kind not in NORMS:
        norm_of(kind, None)
    try:
        return norm_of(kind, typed_number(number) if colon else None)
    except InputError:
        raise
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(f"norm {text!r}: {number!r} is not a number; write e.g. ridge:0.01") from error


def norm_statement(norm: Norm) -> dict[str, str | None]:
    """Return a norm as JSON values: {kind: exact number or null}."""
    number = norm.parameter
    return {norm.kind: None if number is None else str(exact_rational(number))}


def norm_from_statement(said: object) -> Norm:
    """Return the norm that `norm_statement` writes.

    Raises
    ------
    InputError
        If it is none.
    """
    if not (isinstance(said, dict) and len(said) == 1):
        raise InputError(f"the norm {str(said)[:60]} is not an object of one kind and its number")
    ((kind, number),) = said.items()
    if kind not in NORMS or not (number is None or isinstance(number, str)):
        raise InputError(f"the norm {str(said)[:60]} is not one of: {', '.join(NORMS)}")
    try:
        return norm_of(kind, None if number is None else stated_number(number))
    except (ValueError, ArithmeticError) as error:
        raise InputError(f"the norm {str(said)[:60]} has no number such as '1/10'") from error


def statement_of(loss: Loss) -> dict[str, Any]:
    """Return a loss as JSON values: its name and all its parameters that are not None, numbers exact."""
    said: dict[str, Any] = {"name": loss.name}
    for parameter in parameters(type(loss)):
        value = getattr(loss, parameter.name)
        if value is not None:
            said[parameter.name] = _written(value)
    return said


def _written(value: Any) -> Any:
    if isinstance(value, float):
        return str(exact_rational(value))
    if isinstance(value, tuple):
        return [_written(part) for part in value]
    return norm_statement(value) if hasattr(value, "rule") else value


def loss_from_statement(loss: type[Any], said: dict[str, Any]) -> Loss:
    """Return a loss of this class from what `statement_of` writes.

    Raises
    ------
    InputError
        If a parameter is unknown or not of its kind.
    """
    known = {parameter.name: parameter for parameter in parameters(loss)}
    given = {key: value for key, value in said.items() if key != "name"}
    unknown = [key for key in given if key not in known]
    if unknown:
        raise InputError(f"loss {loss.name} has no parameter {unknown[0]!r}")
    return loss(**{key: _stated(known[key], value, loss.name) for key, value in given.items()})


def _stated(parameter: Parameter, value: Any, loss: str) -> Any:
    kind = parameter.kind
    if kind in (NUMBERS, LISTS):
        return _stated_numbers(value, kind, f"parameter {parameter.name} of loss {loss}")
    fits = {int: int, float: str, Norm: dict}.get(kind, str)
    if type(value) is not fits:
        raise InputError(f"parameter {parameter.name} of loss {loss} is not of its kind")
    if kind is Norm:
        return norm_from_statement(value)
    if kind is float:
        return stated_number(value)
    return _read(parameter, value, loss) if fits is str else value


def _stated_numbers(value: Any, kind: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise InputError(f"{what} is not a list")
    if kind == LISTS:
        return tuple(_stated_numbers(part, NUMBERS, f"a part of {what}") for part in value)
    if any(type(number) is not int for number in value):
        raise InputError(f"{what} is not a list of whole numbers")
    return tuple(value)
