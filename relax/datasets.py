"""Class counts of real long-tailed data sets.

The counts that ship are those of the training splits; `relax/data/README.md` says where each comes from.
The CIFAR profiles follow the formula of `long_tail`.
"""

from __future__ import annotations

import csv
import math
import operator
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

from relax.errors import InputError, worded

_PLACES = "Liu et al., Large-Scale Long-Tailed Recognition in an Open World, CVPR 2019, train split"
_LVIS = (
    "Gupta, Dollár, Girshick, LVIS: A Dataset for Large Vocabulary Instance Segmentation, CVPR 2019, v1 train"
)
_CIFAR = (
    "exponential profile of Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, "
    "and Cao et al., Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss, NeurIPS 2019"
)

_FILES = {
    "places-lt": ("places_lt_class_counts.csv", "count", _PLACES),
    "lvis-v1": ("lvis_v1_class_counts.csv", "image_count", f"{_LVIS}, images with the class"),
    "lvis-v1-instances": ("lvis_v1_class_counts.csv", "instance_count", f"{_LVIS}, instances of the class"),
}
_PROFILES = {"cifar10": (10, 5000), "cifar100": (100, 500)}  # classes, images of the largest class
_PUBLISHED_RATIOS = (10, 20, 50, 100, 200)
_PROFILE_NAME = re.compile(r"(cifar10|cifar100)-lt-([1-9][0-9]{0,5})")

_LARGEST_PROFILE = 1_000_000  # classes
_LARGEST_COUNT = 2**53  # every integer up to here is a float64


@dataclass(frozen=True)
class Dataset:
    """What a table of data sets says of one of them.

    Attributes
    ----------
    name : str
        The name that `counts` takes.
    classes, samples : int
        How many classes there are, and the sum of their counts.
    largest, smallest : int
        The largest and the smallest class count.
    source : str
        Where the counts come from.
    """

    name: str
    classes: int
    samples: int
    largest: int
    smallest: int
    source: str


def names() -> tuple[str, ...]:
    """Return the names of the data sets, with the published ratios of the CIFAR profiles.

    `counts` takes any whole ratio, as in ``cifar10-lt-64``.
    """
    profiles = (f"{base}-lt-{ratio}" for base in _PROFILES for ratio in _PUBLISHED_RATIOS)
    return (*_FILES, *profiles)


def counts(name: str) -> tuple[int, ...]:
    """Return the class counts of a data set, in its own class order.

    Raises
    ------
    InputError
        If the name is not known.
    """
    return _look_up(name)[0]


def describe(name: str) -> Dataset:
    """Return the name, size and source of a data set.

    Raises
    ------
    InputError
        If the name is not known.
    """
    found, source = _look_up(name)
    return Dataset(name, len(found), sum(found), max(found), min(found), source)


def long_tail(k: int, n_max: int, ratio: float | Fraction) -> tuple[int, ...]:
    """Return the exponential long-tailed profile of k classes.

    Class c = 0, …, k−1 has n_c = ⌊n_max · ratio^(−c/(k−1))⌋ samples, so that `ratio` is the largest class
    over the smallest before rounding (the imbalance factor of Cao et al. 2019 is 1/ratio). The floor is
    that of the exact real number: 5000 · 8^(−1/3) is 2500, never 2499. A float means its shortest decimal.

    Parameters
    ----------
    k : int
        Number of classes, from two to 1,000,000.
    n_max : int
        Samples of the largest class, at most 2**53.
    ratio : float or Fraction
        Between 1 (balanced) and n_max.

    Raises
    ------
    InputError
        If an argument is out of its range, or the smallest class would be empty.
    """
    k = _whole(k, "k", "the number of classes", 2)
    if k > _LARGEST_PROFILE:
        raise InputError(f"k {k} is more than the {_LARGEST_PROFILE} classes of a profile; give fewer")
    n_max = _whole(n_max, "n_max", "the largest class", 1)
    exact = _ratio(ratio)
    if exact > n_max:
        raise InputError(
            f"ratio {worded(ratio)} is above n_max {n_max}, so the smallest class is empty; lower the ratio"
        )
    if exact == 1:
        return (n_max,) * k
    return tuple(_floor(n_max, exact, Fraction(c, k - 1)) for c in range(k))


def _floor(n_max: int, ratio: Fraction, exponent: Fraction) -> int:
    """Return ⌊n_max · ratio^(−exponent)⌋.

    The float estimate decides, except where it is too close to an integer to trust. There m is compared
    exactly, with exponent a/b and ratio p/q: m ≤ n_max · (p/q)^(−a/b)  ⇔  m^b p^a ≤ n_max^b q^a.
    """
    estimate = n_max * float(ratio) ** -float(exponent)
    nearest = round(estimate)
    # ratio ≤ 2⁵³, so rounding the exponent costs at most 53 log 2 · 2⁻⁵³ < 5e-15 of the estimate.
    if abs(estimate - nearest) > 1e-14 * estimate:
        return math.floor(estimate)
    a, b = exponent.as_integer_ratio()
    p, q = ratio.as_integer_ratio()
    low, high = p**a, n_max**b * q**a
    while (nearest + 1) ** b * low <= high:
        nearest += 1
    while nearest**b * low > high:
        nearest -= 1
    return nearest


def _whole(number: Any, argument: str, meaning: str, least: int) -> int:
    try:
        value = operator.index(number)
    except TypeError:
        value = None
    if value is None or isinstance(number, bool) or not least <= value <= _LARGEST_COUNT:
        raise InputError(
            f"{argument} {worded(number)} must be {meaning}, a whole number from {least} to 2**53"
        )
    return value


def _ratio(ratio: Any) -> Fraction:
    try:
        exact = Fraction(ratio) if isinstance(ratio, (int, Fraction)) else Fraction(repr(float(ratio)))
    except (TypeError, ValueError, OverflowError):
        exact = None
    if exact is None or isinstance(ratio, bool) or exact < 1:
        raise InputError(
            f"ratio {worded(ratio)} must be a finite number of at least 1: the largest class over the "
            "smallest"
        )
    return exact


def _look_up(name: Any) -> tuple[tuple[int, ...], str]:
    """Return the counts and the source of a data set."""
    if isinstance(name, str):
        if name in _FILES:
            file, column, source = _FILES[name]
            return _read(file, column), source
        profile = _PROFILE_NAME.fullmatch(name)
        if profile is not None:
            base, ratio = profile.groups()
            k, n_max = _PROFILES[base]
            return long_tail(k, n_max, int(ratio)), _CIFAR
    raise InputError(
        f"unknown data set {worded(name)}; give one of {', '.join(_FILES)}, "
        f"{', '.join(f'{base}-lt-RATIO' for base in _PROFILES)} (e.g. cifar10-lt-100)"
    )


@cache
def _read(file: str, column: str) -> tuple[int, ...]:
    table = resources.files("relax").joinpath("data", file).read_text(encoding="utf-8")
    return tuple(int(row[column]) for row in csv.DictReader(table.splitlines()))
