"""What the command line says, as problems and files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from certify.cli.labels import read_labels, split_column
from certify.cli.words import about
from relax import losses
from relax.errors import InputError, worded
from relax.files import check_apart
from relax.losses import Loss
from relax.losses.parameters import parameters, read_norm
from relax.norms import Norm
from relax.numerals import typed_counts, typed_whole
from relax.problem import Problem

PICTURES = (".png", ".pdf", ".svg")  # relax.plots.FORMATS, without loading matplotlib


def parse_wholes(option: str, text: str, names: str) -> list[int]:
    """Read as many whole numbers in plain digits as there are names: "2,2,10" of "k_major,k_minor,n_minor".

    Raises
    ------
    InputError
        If it is not of this form.
    """
    parts, number = text.split(","), len(names.split(","))
    try:
        found = [typed_whole(part) for part in parts]
    except ValueError:
        found = []
    if len(found) != number:
        many = {2: "two", 3: "three", 4: "four"}[number]
        raise InputError(f"{option} {worded(text)} must be {many} numbers in plain digits: {names}")
    return found


def parse_norm(text: str) -> Norm:
    """Read "sphere", "ball", "ridge:0.01" or "mean-square:1".

    Raises
    ------
    InputError
        If it is none of these.
    """
    with about("--norm"):
        return read_norm(text)


def parse_loss(text: str, batch_size: int | None) -> Loss:
    """Read NAME or NAME:parameter=value,…; `batch_size` is short for the parameter of that name.

    Raises
    ------
    InputError
        If there is no such loss or parameter, or the batch size is given twice.
    """
    with about("--loss"):
        if batch_size is None:
            return losses.parse(text)
        name = text.partition(":")[0]
        if not _takes_batches(name):
            having = [other for other in losses.names() if _takes_batches(other)]
            there = f"; losses with one: {', '.join(having)}" if having else ""
            raise InputError(
                f"loss {name} has no parameter batch_size, which --batch-size {batch_size} is short "
                f"for{there}"
            )
        return losses.parse(f"{text}{',' if ':' in text else ':'}batch_size={batch_size}")


def _takes_batches(name: str) -> bool:
    return any(one.name == "batch_size" for one in parameters(losses.kind(name)))


def make_problem(
    counts: str | None,
    labels: str | None,
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
        with about("--counts"):
            read = typed_counts(counts)
        return Problem(read, **options)
    if labels is not None:
        return Problem.from_labels(read_labels(labels), **options)
    if dataset is not None:
        return Problem.from_dataset(dataset, **options)
    assert step is not None
    sizes = parse_wholes("--step", step, "k_major,k_minor,n_major,n_minor")
    return Problem.step(*sizes, **options)


def files_of(labels: str | None, loss: str) -> dict[str, Path | None]:
    """Return the files that are read, by the options that name them."""
    read = {f"--loss @{name}": Path(name) for name in re.findall("=@([^,]+)", loss)}
    return {"--labels": None if labels is None else split_column(labels)[0], **read}


def check_plot(plot: Path | None) -> None:
    """Refuse a picture of an unknown kind.

    Raises
    ------
    InputError
        If its name says none that there is.
    """
    if plot is not None and plot.suffix not in PICTURES:
        raise InputError(f"--plot {worded(str(plot))} must end in one of {', '.join(PICTURES)}")


def check_outputs(
    certificate: Path | None, save: Path | None, plot: Path | None, inputs: dict[str, Path | None]
) -> None:
    """Refuse outputs that cannot be written, or that would be written over another file of this run.

    Raises
    ------
    InputError
        If one is refused.
    """
    check_plot(plot)
    check_apart({"--certificate": certificate, "--save": save, "--plot": plot}, inputs)
