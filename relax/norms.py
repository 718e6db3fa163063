"""What the norms of features obey: the user's words, and the diagonal rule that each becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, Shaped

from relax.arrays import Arrays
from relax.counts import ExactFloat, exact_rational, positive_number
from relax.errors import InputError
from relax.facts import brief
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule


@brief
class Members(NamedTuple):
    """Slots, and what one member of each stands for."""

    slots: Int[np.ndarray, " q"]
    vectors: Shaped[np.ndarray, " q"]  # how many vectors it is
    # its weight in the mean over classes of the mean over the class; exact, which few norms need and is slow
    part: Callable[[], Shaped[np.ndarray, " q"]]


@runtime_checkable
class Norm(Protocol):
    """A constraint on, or a price of, the norms of the vectors of one role.

    A frozen dataclass with one number. `rule` says it of the nodes of a program; `scale` and `cost` say it of
    explicit vectors, in any array library.
    """

    kind: ClassVar[str]

    @property
    def parameter(self) -> float | None:
        """The number, None where it is one and goes without saying."""
        ...

    @property
    def words(self) -> str:
        """Return what it says of vectors: "of norm one"."""
        ...

    def rule(self, members: Members) -> Rule:
        """Return the diagonal rule."""
        ...

    def scale(self, squared: Any, part: Any, xp: Arrays) -> Any:
        """Return what vectors of these squared norms are multiplied by to obey it."""
        ...

    def cost(self, squared: Any, xp: Arrays) -> Any:
        """Return what vectors of these squared norms pay, all together; one number a line."""
        ...


@dataclass(frozen=True)
class Sphere:
    """Every vector has norm `radius`."""

    radius: float = 1.0
    kind: ClassVar[str] = "sphere"

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", positive_number(self.radius, "sphere radius", "Sphere(1)"))

    @property
    def parameter(self) -> float | None:
        """The radius."""
        return None if self.radius == 1 else self.radius

    @property
    def words(self) -> str:
        """Return "of norm one"."""
        return f"of norm {_spelled(self.radius)}"

    def rule(self, members: Members) -> Rule:
        """Return `Fixed`."""
        return Fixed(members.slots, _square(self.radius))

    def scale(self, squared: Any, part: Any, xp: Arrays) -> Any:
        """Return radius/norm."""
        return xp.number(exact_rational(self.radius)) / xp.sqrt(squared)

    def cost(self, squared: Any, xp: Arrays) -> Any:
        """Return 0."""
        return 0 * squared.sum(-1)


@dataclass(frozen=True)
class Ball:
    """Every vector has norm at most `radius`."""

    radius: float = 1.0
    kind: ClassVar[str] = "ball"

    def __post_init__(self) -> None:
        object.__setattr__(self, "radius", positive_number(self.radius, "ball radius", "Ball(1)"))

    @property
    def parameter(self) -> float | None:
        """The radius."""
        return None if self.radius == 1 else self.radius

    @property
    def words(self) -> str:
        """Return "of norm at most one"."""
        return f"of norm at most {_spelled(self.radius)}"

    def rule(self, members: Members) -> Rule:
        """Return `Bounded`."""
        return Bounded(members.slots, _square(self.radius))

    def scale(self, squared: Any, part: Any, xp: Arrays) -> Any:
        """Return radius/max(norm, radius)."""
        radius = xp.number(exact_rational(self.radius))
        return radius / xp.sqrt(xp.at_least(squared, radius * radius))

    def cost(self, squared: Any, xp: Arrays) -> Any:
        """Return 0."""
        return 0 * squared.sum(-1)


@dataclass(frozen=True)
class Ridge:
    """Vectors are free and pay (weight/2) · ‖·‖²_F, summed over all of them."""

    weight: float
    kind: ClassVar[str] = "ridge"

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", positive_number(self.weight, "ridge weight", "Ridge(1e-3)"))

    @property
    def parameter(self) -> float | None:
        """The weight."""
        return self.weight

    @property
    def words(self) -> str:
        """Return "of any norm, …"."""
        return f"of any norm, which pay a ridge of weight {_decimal(self.weight)}"

    def rule(self, members: Members) -> Rule:
        """Return `RidgeCost`."""
        half = exact_rational(self.weight) / 2
        return RidgeCost(members.slots, np.array([int(n) * half for n in members.vectors], dtype=object))

    def scale(self, squared: Any, part: Any, xp: Arrays) -> Any:
        """Return ones."""
        return 0 * squared + 1

    def cost(self, squared: Any, xp: Arrays) -> Any:
        """Return (weight/2) Σ ‖·‖²."""
        return xp.number(exact_rational(self.weight) / 2) * squared.sum(-1)


@dataclass(frozen=True)
class MeanSquare:
    """The mean over classes of the mean of ‖·‖² over the class is at most `square` (the layer-peeled model).

    References
    ----------
    Fang, He, Long & Su, Exploring deep neural networks via layer-peeled model, PNAS 2021,
    doi 10.1073/pnas.2103091118.
    """

    square: float
    kind: ClassVar[str] = "mean-square"

    def __post_init__(self) -> None:
        object.__setattr__(self, "square", positive_number(self.square, "mean square", "MeanSquare(1)"))

    @property
    def parameter(self) -> float | None:
        """The bound."""
        return self.square

    @property
    def words(self) -> str:
        """Return "of mean square at most …"."""
        return f"of mean square over classes at most {_decimal(self.square)}"

    def rule(self, members: Members) -> Rule:
        """Return `Budget`."""
        return Budget(members.slots, members.part().astype(object), exact_rational(self.square))

    def scale(self, squared: Any, part: Any, xp: Arrays) -> Any:
        """Return one factor for all, less than one where the mean square is above the bound."""
        square = xp.number(exact_rational(self.square))
        spent = (part * squared).sum(-1)
        return xp.sqrt(square / xp.at_least(spent, square))[..., None] + 0 * squared

    def cost(self, squared: Any, xp: Arrays) -> Any:
        """Return 0."""
        return 0 * squared.sum(-1)


NORMS: dict[str, type[Sphere] | type[Ball] | type[Ridge] | type[MeanSquare]] = {
    norm.kind: norm for norm in (Sphere, Ball, Ridge, MeanSquare)
}


def norm_of(kind: str, number: float | None) -> Norm:
    """Return the norm of this kind, e.g. of ("ridge", 0.01).

    Raises
    ------
    InputError
        If there is no such kind, or the number is missing or unusable.
    """
    if kind not in NORMS:
        raise InputError(f"norm {kind!r} is not one of: sphere, ball, ball:2, ridge:0.01, mean-square:1")
    if number is not None:
        return NORMS[kind](number)
    if kind in ("sphere", "ball"):
        return NORMS[kind]()  # type: ignore[call-arg]
    raise InputError(f"norm {kind!r} needs a number, e.g. {kind}:0.01")


def _square(radius: float) -> Fraction:
    return exact_rational(radius) ** 2


def _spelled(radius: float) -> str:
    return "one" if radius == 1 else _decimal(radius)


def _decimal(number: float) -> str:
    """Return the decimal that is meant, every digit of it: theorems are printed with it."""
    if isinstance(number, ExactFloat):
        return str(number.exact)
    short = f"{number:g}"
    return short if exact_rational(float(short)) == exact_rational(number) else repr(float(number))
