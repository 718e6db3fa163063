"""What the command line says, as problems."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from relax import losses
from relax.counts import ClassCounts
from relax.errors import InputError
from relax.losses import Loss
from relax.losses.parameters import parameters, read_norm
from relax.norms import Norm
from relax.problem import Problem

_ITEM = re.compile(r"\s*([+-]?[\w.]+?)\s*(?:[x×]\s*([+-]?[\w.]+))?\s*")


def parse_counts(text: str) -> ClassCounts:
    """Read "100,100,10,10" or "1000x5,10x1000000" (size x classes).

    Raises
    ------
    InputError
        If an item is not of this form, or not a positive integer.
    """
    if not text.strip():
        raise InputError("--counts is empty; give class sizes, e.g. 100,100,10,10")
    return ClassCounts.of_runs([_parse_item(item) for item in text.split(",")])


def _parse_item(item: str) -> tuple[int, int]:
    found = _ITEM.fullmatch(item)
    try:
        if found is None:
            raise ValueError
        return int(found[1]), _positive(int(found[2])) if found[2] else 1
    except ValueError:
        raise InputError(
            f"--counts item {item.strip()!r} is not a class size; write 100,100,10,10 or 1000x5,10x1000000"
        ) from None


def _positive(number: int) -> int:
    if number < 1:
        raise ValueError
    return number


def read_labels(path: Path) -> np.ndarray:
    """Read one label a sample from a .npy file, or from a text file with one label a line.

    Raises
    ------
    InputError
        If the file is not there or cannot be read as either.
    """
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        return np.array([line.strip() for line in path.read_text().splitlines() if line.strip()])
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise InputError(f"labels file {path} cannot be read ({error}); save it with numpy.save") from error


def parse_norm(text: str) -> Norm:
    """Read "sphere", "ball", "ridge:0.01" or "mean-square:1".

    Raises
    ------
    InputError
        If it is none of these.
    """
    try:
        return read_norm(text)
    except InputError as error:
        raise InputError(f"--norm: {error}") from error


def parse_loss(text: str, batch_size: int | None) -> Loss:
    """Read NAME or NAME:parameter=value,…; `batch_size` is short for the parameter of that name.

    Raises
    ------
    InputError
        If there is no such loss or parameter, or the batch size is given twice.
    """
    if batch_size is None:
        return losses.parse(text)
    name = text.partition(":")[0]
    if not _takes_batches(name):
        having = [other for other in losses.names() if _takes_batches(other)]
        there = f"; losses with one: {', '.join(having)}" if having else ""
        raise InputError(
            f"loss {name} has no parameter batch_size, which --batch-size {batch_size} is short for{there}"
        )
    return losses.parse(f"{text}{',' if ':' in text else ':'}batch_size={batch_size}")


def _takes_batches(name: str) -> bool:
    return any(one.name == "batch_size" for one in parameters(losses.kind(name)))


def make_problem(
    counts: str | None,
    labels: Path | None,
    dataset: str | None,
    step: str | None,
    loss: Loss,
    temperature: float | None,
    **options: Any,
) -> Problem:
    """Build the problem of exactly one source of counts; τ defaults to the loss's own.

    Raises
    ------
    InputError
        If there is not exactly one source, or it is unusable.
    """
    given = [name for name, value in (("--counts", counts), ("--labels", labels)) if value is not None]
    given += [name for name, value in (("--dataset", dataset), ("--step", step)) if value is not None]
    if len(given) != 1:
        said = "none of these was given" if not given else f"{' and '.join(given)} were given"
        raise InputError(f"give exactly one of --counts, --labels, --dataset, --step ({said})")
    options |= {"loss": loss, "temperature": temperature}
    if counts is not None:
        return Problem(parse_counts(counts), **options)
    if labels is not None:
        return Problem.from_labels(read_labels(labels), **options)
    if dataset is not None:
        return Problem.from_dataset(dataset, **options)
    assert step is not None
    numbers = [_parse_item(item)[0] for item in step.split(",")]
    if len(numbers) != 4:
        raise InputError(f"--step {step!r} needs four numbers: k_major,k_minor,n_major,n_minor")
    return Problem.step(*numbers, **options)
