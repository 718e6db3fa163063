"""What is to be minimised, in the user's words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from relax import datasets
from relax.errors import InputError

LARGEST_COUNT = 2**53  # every integer up to here is a float64


@dataclass(frozen=True)
class Sphere:
    """Every feature has norm one."""


@dataclass(frozen=True)
class Ball:
    """Every feature has norm at most one."""


@dataclass(frozen=True)
class Ridge:
    """Features are free and pay (weight/2) · ‖H‖²_F, summed over all samples."""

    weight: float

    def __post_init__(self) -> None:
        _positive(self.weight, "ridge weight", "Ridge(1e-3)")


Norm = Sphere | Ball | Ridge


def exact_rational(number: float | int | Fraction) -> Fraction:
    """Return the rational number that was written: the float 0.1 means one tenth.

    A float stands for its shortest decimal, so that a theorem about temperature 0.1 is not a theorem
    about 0.1000000000000000055….
    """
    if isinstance(number, float):
        return Fraction(repr(float(number)))  # float(): NumPy's float64 prints its type
    return Fraction(number)


@dataclass(frozen=True)
class ClassCounts:
    """Class sizes as a multiset, with the user's order where one was given.

    Attributes
    ----------
    sizes : tuple of int
        The m distinct class sizes, largest first.
    multiplicities : tuple of int
        How many classes have each size.
    order : tuple of int or None
        For each class, in the user's order, the index of its size; None when only sizes and
        multiplicities were given (the classes then stand largest first).
    """

    sizes: tuple[int, ...]
    multiplicities: tuple[int, ...]
    order: tuple[int, ...] | None = None

    @classmethod
    def of(cls, counts: ClassCounts | Mapping[int, int] | Iterable[int]) -> ClassCounts:
        """Build from a sequence of class sizes, or from a mapping {size: number of classes}.

        Raises
        ------
        InputError
            If there are no counts, or one is not an integer between 1 and 2**53.
        """
        if isinstance(counts, ClassCounts):
            return counts
        is_scalar = isinstance(counts, (str, bytes)) or getattr(counts, "ndim", 1) == 0
        if is_scalar or not isinstance(counts, (Mapping, Iterable)):
            raise InputError(f"counts {counts!r} must be a sequence of integers, e.g. [100, 100, 10, 10]")
        if isinstance(counts, Mapping):
            pairs = {_count(size, "class size"): _count(g, "number of classes") for size, g in counts.items()}
            order: tuple[int, ...] | None = None
        else:
            given = [_count(size, "class size") for size in counts]
            pairs = Counter(given)
            index = {size: a for a, size in enumerate(sorted(pairs, reverse=True))}
            order = tuple(index[size] for size in given)
            if order == tuple(sorted(order)):
                order = None  # largest first is the order without a name
        if not pairs:
            raise InputError("counts are empty; give at least two classes, e.g. [100, 100, 10, 10]")
        sizes = tuple(sorted(pairs, reverse=True))
        found = cls(sizes, tuple(pairs[size] for size in sizes), order)
        if found.samples > LARGEST_COUNT:
            raise InputError(f"counts sum to {found.samples}, beyond 2**53; scale them down")
        return found

    @cached_property
    def classes(self) -> int:
        """The number of classes k."""
        return sum(self.multiplicities)

    @cached_property
    def samples(self) -> int:
        """The number of samples n."""
        return sum(n * g for n, g in zip(self.sizes, self.multiplicities, strict=True))

    @cached_property
    def anchors(self) -> int:
        """N₊, the number of samples that have another sample of their own class."""
        return sum(n * g for n, g in zip(self.sizes, self.multiplicities, strict=True) if n >= 2)

    def group_of_class(self) -> np.ndarray:
        """Return the index into `sizes` of every class, in the user's order; shape (k,)."""
        if self.order is not None:
            return np.asarray(self.order)
        return np.repeat(np.arange(len(self.sizes)), self.multiplicities)

    def times(self, factor: int) -> ClassCounts:
        """Return the counts with every class `factor` times as large."""
        return ClassCounts(tuple(factor * n for n in self.sizes), self.multiplicities, self.order)

    def __str__(self) -> str:
        """Write the counts as the command line reads them."""
        if self.classes <= 12:
            return ",".join(str(self.sizes[a]) for a in self.group_of_class())
        shown = [f"{n}x{g}" for n, g in zip(self.sizes, self.multiplicities, strict=True)]
        return ",".join(shown if len(shown) <= 12 else [*shown[:6], "…", *shown[-5:]])


def _count(number: Any, what: str) -> int:
    is_whole = isinstance(number, (int, np.integer)) or (isinstance(number, float) and number.is_integer())
    if isinstance(number, (bool, np.bool_)) or not is_whole:
        raise InputError(f"{what} {number!r} is not an integer; counts are whole numbers of samples")
    if number <= 0:
        raise InputError(f"{what} {int(number)} is not positive; leave out classes without samples")
    if number > LARGEST_COUNT:
        raise InputError(f"{what} {int(number)} is beyond 2**53; scale the counts down")
    return int(number)


@dataclass(frozen=True)
class Problem:
    """A contrastive loss over free features, for given class counts.

    Attributes
    ----------
    counts : ClassCounts
        Built from a sequence of class sizes or a mapping {size: number of classes}.
    loss : str
        The name of a loss (`relax.losses.names()`).
    temperature : float
        τ > 0. The exact problem has the decimal number that was written (see `exact_rational`).
    norm : Sphere, Ball or Ridge
        What the features obey.
    nonnegative : bool
        Whether features are entrywise non-negative (relaxed to a non-negative Gram matrix).
    views : int
        Augmented views of each sample; they multiply the class sizes.

    Raises
    ------
    InputError
        If the counts are unusable, there are fewer than two classes, no class has two samples, or the
        temperature is not a positive finite number.
    """

    counts: ClassCounts
    loss: str = "supcon"
    temperature: float = 0.1
    norm: Norm = Sphere()
    nonnegative: bool = False
    views: int = 1

    def __init__(
        self,
        counts: ClassCounts | Mapping[int, int] | Iterable[int],
        loss: str = "supcon",
        temperature: float = 0.1,
        norm: Norm | None = None,
        nonnegative: bool = False,
        views: int = 1,
    ) -> None:
        values = {
            "counts": ClassCounts.of(counts),
            "loss": loss,
            "temperature": _positive(temperature, "temperature", "0.1"),
            "norm": Sphere() if norm is None else norm,
            "nonnegative": bool(nonnegative),
            "views": _count(views, "number of views"),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        seen = self.effective_counts
        if seen.classes < 2:
            raise InputError(
                f"one class only: every equiangular arrangement of its {seen.samples} samples attains the "
                "minimum log(n-1), so there is no geometry to certify; give at least two classes"
            )
        if seen.anchors == 0:
            raise InputError("no class has two samples, so the loss has no anchor; give one of them two")
        if seen.samples > LARGEST_COUNT:
            raise InputError(f"counts times {self.views} views are beyond 2**53; scale the counts down")
        if not isinstance(self.norm, (Sphere, Ball, Ridge)):
            raise InputError(f"norm {self.norm!r} is not one of Sphere(), Ball(), Ridge(weight)")

    @property
    def effective_counts(self) -> ClassCounts:
        """The class counts a loss sees: samples times views."""
        return self.counts.times(self.views) if self.views > 1 else self.counts

    @classmethod
    def from_labels(cls, labels: Sequence[Any] | np.ndarray, **options: Any) -> Problem:
        """Build from one label a sample; classes stand in the sorted order of their labels.

        Raises
        ------
        InputError
            If `labels` is not one-dimensional, is empty, or holds NaN.
        """
        try:
            array = np.asarray(labels)
        except ValueError as error:  # rows of unequal length
            raise InputError("labels are not an array; give one label a sample, shape (n,)") from error
        if array.ndim != 1 or array.size == 0:
            raise InputError(f"labels have shape {array.shape}; give one label a sample, shape (n,)")
        if array.dtype.kind not in "iubUSf":
            raise InputError(f"labels of type {array.dtype} cannot be compared; give integers or strings")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError("labels hold NaN or infinity; give one integer label a sample")
        return cls(np.unique(array, return_counts=True)[1].tolist(), **options)

    @classmethod
    def step(cls, k_major: int, k_minor: int, n_major: int, n_minor: int, **options: Any) -> Problem:
        """STEP imbalance: k_major classes of n_major samples, then k_minor classes of n_minor."""
        k_major, k_minor = _count(k_major, "k_major"), _count(k_minor, "k_minor")
        n_major, n_minor = _count(n_major, "n_major"), _count(n_minor, "n_minor")
        if n_major == n_minor:
            return cls({n_major: k_major + k_minor}, **options)
        if n_major > n_minor:
            return cls({n_major: k_major, n_minor: k_minor}, **options)
        return cls(ClassCounts.of([n_major] * k_major + [n_minor] * k_minor), **options)

    @classmethod
    def long_tailed(cls, k: int, n_max: int, ratio: float, **options: Any) -> Problem:
        """Exponential long tail: class c of k has n_max · ratio^(−c/(k−1)) samples, rounded down."""
        return cls(datasets.long_tail(k, n_max, ratio), **options)

    @classmethod
    def from_dataset(cls, name: str, **options: Any) -> Problem:
        """Build from the class counts of a real data set (`relax.datasets.names()`)."""
        return cls(datasets.counts(name), **options)

    def statement(self) -> dict[str, Any]:
        """Return the problem as JSON values, numbers exact: counts as [size, classes] pairs, τ a fraction."""
        norm = type(self.norm).__name__.lower()
        pairs = zip(self.counts.sizes, self.counts.multiplicities, strict=True)
        said: dict[str, Any] = {
            "loss": self.loss,
            "counts": [list(pair) for pair in pairs],
            "temperature": str(exact_rational(self.temperature)),
            "norm": norm,
            "nonnegative": self.nonnegative,
            "views": self.views,
        }
        if isinstance(self.norm, Ridge):
            said["ridge"] = str(exact_rational(self.norm.weight))
        if self.counts.order is not None:
            said["order"] = list(self.counts.order)
        return said

    @classmethod
    def from_statement(cls, said: Mapping[str, Any]) -> Problem:
        """Build from `statement`.

        Raises
        ------
        InputError
            If a value is missing or not of its kind.
        """
        try:
            counts = ClassCounts.of({size: g for size, g in said["counts"]})
            order = said.get("order")
            if order is not None:
                counts = ClassCounts(counts.sizes, counts.multiplicities, tuple(order))
                if Counter(order) != Counter(dict(enumerate(counts.multiplicities))):
                    raise InputError("the order of the classes does not fit their counts")
            ridge = Ridge(float(Fraction(said["ridge"]))) if said["norm"] == "ridge" else None
            norm = {"sphere": Sphere(), "ball": Ball(), "ridge": ridge}[said["norm"]]
            temperature = float(Fraction(said["temperature"]))
            return cls(counts, said["loss"], temperature, norm, said["nonnegative"], said["views"])
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise InputError(f"the statement of the problem is unusable: {error!r}") from error


def _positive(number: Any, what: str, example: str) -> float:
    try:
        value = float(number)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{what} {number!r} must be a positive finite number; give e.g. {example}")
    return value
