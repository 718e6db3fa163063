"""What is to be minimised, in the user's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from relax import datasets, losses
from relax.counts import (
    LARGEST_COUNT,
    ClassCounts,
    exact_rational,
    positive_number,
    stated_number,
    whole_number,
)
from relax.errors import InputError, expect, reason, worded
from relax.facts import brief
from relax.labels import class_sizes
from relax.losses import Loss, Reduction, SupCon
from relax.losses.fields import check_fields
from relax.losses.parameters import norm_from_statement, norm_statement, spelled
from relax.model import model
from relax.norms import NORMS, Ball, MeanSquare, Norm, Ridge, Sphere
from relax.program import GramProgram
from relax.rules import stretched

if TYPE_CHECKING:
    import cvxpy as cp

__all__ = [
    "Ball",
    "ClassCounts",
    "Level",
    "MeanSquare",
    "Norm",
    "Problem",
    "Ridge",
    "Sphere",
    "exact_rational",
]

Level = Literal["groups", "classes", "samples"]
LARGEST_PROGRAM = 10_000  # groups; programs beyond take more than 14 GB
LARGEST_LIFT = 2_000  # samples; the n×n matrix of one row per sample is a reference, not a method
_SUPCON, _SPHERE = SupCon(), Sphere()


@brief
@dataclass(frozen=True)
class Problem:
    """A contrastive loss over free features, for given class counts.

    Attributes
    ----------
    counts : ClassCounts
        Built from a sequence of class sizes or a mapping {size: number of classes}.
    loss : Loss
        A loss object such as `SupCon()`, or a text: "supcon", "NAME:parameter=value,…".
    temperature : float
        τ > 0. The exact problem has the decimal number that was written (see `exact_rational`). The loss's
        own default where it is not given.
    norm : Norm
        What the features obey: `Sphere`, `Ball`, `Ridge` or `MeanSquare`.
    nonnegative : bool
        Whether features are entrywise non-negative (relaxed to a non-negative Gram matrix).
    views : int
        Augmented views of each sample; they multiply the class sizes.

    Raises
    ------
    InputError
        If the counts are unusable, the temperature is not a positive finite number, or the loss refuses the
        problem.
    """

    counts: ClassCounts
    loss: Loss = _SUPCON
    temperature: float = 0.1
    norm: Norm = _SPHERE
    nonnegative: bool = False
    views: int = 1

    def __init__(
        self,
        counts: ClassCounts | Mapping[int, int] | Iterable[int],
        loss: Loss | str | None = None,
        temperature: float | None = None,
        norm: Norm | None = None,
        nonnegative: bool = False,
        views: int = 1,
    ) -> None:
        chosen = SupCon() if loss is None else losses.parse(loss) if isinstance(loss, str) else loss
        if not isinstance(chosen, Loss) or isinstance(chosen, type):
            raise InputError(
                f"loss {worded(chosen)} is not a loss; give a name such as 'supcon', or SupCon()"
            )
        check_fields(chosen)
        tau = chosen.default_temperature if temperature is None else temperature
        values = {
            "counts": ClassCounts.of(counts),
            "loss": chosen,
            "temperature": positive_number(tau, "temperature", "0.1"),
            "norm": Sphere() if norm is None else norm,
            "nonnegative": bool(expect(nonnegative, (bool, np.bool_), "nonnegative", "give True or False")),
            "views": whole_number(views, "number of views"),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._check()

    def _check(self) -> None:
        if self.effective_counts.samples > LARGEST_COUNT:
            raise InputError(f"counts times {self.views} views are beyond 2**53; scale the counts down")
        if type(self.norm) not in NORMS.values():
            raise InputError(
                f"norm {worded(self.norm)} is not one of Sphere(), Ball(), Ridge(weight), MeanSquare(E)"
            )
        reason = self.loss.refuses(self.counts, self.views, self.norm, self.nonnegative)
        if reason is not None:
            raise InputError(reason)

    def reduction(self, level: Level = "groups") -> Reduction:
        """Return the nodes and rows of the loss.

        Parameters
        ----------
        level : "groups", "classes" or "samples"
            One node for each distinct class size with its multiplicity; one for each class, or for each
            feature, in the user's order.

        Raises
        ------
        InputError
            If the level is unknown, there are more than 10,000 groups or classes, the sample level has more
            than 2,000 features, or the loss has no such level.
        """
        if as_level(level) == "groups":
            self._check_size(len(self.counts.sizes), "distinct class sizes", "round some of them")
            return self.loss.reduce(self.counts, self.views)
        if level == "classes":
            self._check_size(self.counts.classes, "classes", "give level 'groups', of equal classes")
            return self.loss.reduce(self.counts.apart(), self.views)
        count = self.effective_counts.samples
        if count > LARGEST_LIFT:
            raise InputError(
                f"{count} samples are too many for level 'samples', whose n×n lift takes {LARGEST_LIFT}; "
                "give level 'classes' or 'groups'"
            )
        lifted = self.loss.lift(self.counts, self.views)
        if lifted is None:
            raise InputError(
                f"loss {self.loss.name} has no program by samples; give level 'classes' or 'groups'"
            )
        return lifted

    def _check_size(self, nodes: int, what: str, mend: str) -> None:
        if nodes > LARGEST_PROGRAM:
            raise InputError(
                f"{nodes} {what} are too many for one program, which takes {LARGEST_PROGRAM}; {mend}"
            )

    def program(self, level: Level = "groups") -> GramProgram:
        """Return the convex program of the problem; see `reduction` for the levels."""
        return self.assembled(self.reduction(level))

    def assembled(self, reduction: Reduction) -> GramProgram:
        """Return the program of a reduction of the loss, with the problem's temperature, norm and M ≥ 0."""
        nodes = reduction.nodes
        rules = tuple((norm or self.norm).rule(nodes.members(role)) for role, norm in enumerate(nodes.norms))
        if nodes.square is not None:
            rules = tuple(part for rule in rules for part in stretched(rule, nodes.square))
        tau = exact_rational(self.temperature)
        return GramProgram(
            multiplicity=nodes.multiplicity,
            temperature=tau,
            rows=reduction.rows,
            normaliser=reduction.normaliser / tau if reduction.times_temperature else reduction.normaliser,
            rules=rules,
            roles=len(nodes.roles),
            nonnegative=self.nonnegative,
        )

    def in_brief(self) -> str:
        """Return loss, counts and temperature, and what is not as usual."""
        many = f"{self.counts.classes} classes" if self.counts.classes > 12 else str(self.counts)
        unusual = [self.norm] if self.norm != _SPHERE else []
        unusual += ["nonnegative"] if self.nonnegative else []
        unusual += [f"{self.views} views"] if self.views > 1 else []
        said = [spelled(self.loss), many, f"τ={self.temperature:g}", *map(str, unusual)]
        return ", ".join(said)

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
            If labels are not one-dimensional, are empty, missing, or of several kinds (`labels.class_sizes`).
        """
        return cls(class_sizes(labels), **options)

    @classmethod
    def step(cls, k_major: int, k_minor: int, n_major: int, n_minor: int, **options: Any) -> Problem:
        """STEP imbalance: k_major classes of n_major samples, then k_minor classes of n_minor."""
        k_major, k_minor = whole_number(k_major, "k_major"), whole_number(k_minor, "k_minor")
        n_major, n_minor = whole_number(n_major, "n_major"), whole_number(n_minor, "n_minor")
        return cls(ClassCounts.of_runs([(n_major, k_major), (n_minor, k_minor)]), **options)

    @classmethod
    def long_tailed(cls, k: int, n_max: int, ratio: float, **options: Any) -> Problem:
        """Exponential long tail: class c of k has n_max · ratio^(−c/(k−1)) samples, rounded down."""
        return cls(datasets.long_tail(k, n_max, ratio), **options)

    @classmethod
    def from_dataset(cls, name: str, **options: Any) -> Problem:
        """Build from the class counts of a real data set (`relax.datasets.names()`)."""
        return cls(datasets.counts(name), **options)

    def cvxpy(self, level: Level = "groups") -> cp.Problem:
        """Return the convex program as a CVXPY problem, to be solved or changed; its value is the loss.

        At the levels "classes" and "samples" its variable G is the Gram matrix of all classes, or of all
        features in the user's order of classes (of all vectors of all roles, side by side, where there are
        several); at level "groups" see `relax.model.model`. Nothing of it is certified: give what you find to
        `certify` as an `Answer`, or use `solve`.

        Raises
        ------
        InputError
            As `program`.
        """
        import cvxpy

        program = self.program(level)
        made = model(program).problem
        floor = program.floor if np.isfinite(program.floor) else 0.0
        return cvxpy.Problem(cvxpy.Minimize(made.objective.expr + floor), made.constraints)

    def statement(self) -> dict[str, Any]:
        """Return the problem as JSON values, numbers exact: counts as [size, classes] pairs, τ a fraction."""
        pairs = zip(self.counts.sizes, self.counts.multiplicities, strict=True)
        said: dict[str, Any] = {
            "loss": losses.statement_of(self.loss),
            "counts": [list(pair) for pair in pairs],
            "temperature": str(exact_rational(self.temperature)),
            "norm": norm_statement(self.norm),
            "nonnegative": self.nonnegative,
            "views": self.views,
        }
        if self.counts.order is not None:
            said["order"] = list(self.counts.order)
        return said

    @classmethod
    def from_statement(cls, said: Mapping[str, Any]) -> Problem:
        """Build from `statement`; nothing else has the same statement.

        Raises
        ------
        InputError
            If a value is missing or not of its kind.
        """
        expect(said, Mapping, "the statement of a problem", "give what .statement() returns")
        try:
            counts = ClassCounts.of({size: g for size, g in said["counts"]})
            order = said.get("order")
            if order is not None:
                counts = ClassCounts(counts.sizes, counts.multiplicities, tuple(order))
                whole = all(type(a) is int for a in order)
                if not whole or Counter(order) != Counter(dict(enumerate(counts.multiplicities))):
                    raise InputError("the order of the classes does not fit their counts")
            loss, norm = losses.from_statement(said["loss"]), norm_from_statement(said["norm"])
            temperature = stated_number(said["temperature"])
            found = cls(counts, loss, temperature, norm, said["nonnegative"], said["views"])
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
            raise InputError(f"the statement of the problem is unusable ({reason(error)})") from error
        if found.statement() != said:
            raise InputError("the statement of the problem is not the one that its values have")
        return found


def as_level(level: str) -> Level:
    """Return the level of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    for known in get_args(Level):
        if isinstance(level, str) and level == known:
            return known
    raise InputError(f"level {worded(level)} must be one of: {', '.join(get_args(Level))}")
