"""What is minimised: the definition of a loss at explicit vectors, and where its rounding ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64

from relax.descent.arrays import TorchArrays
from relax.descent.charts import Chart
from relax.errors import InputError, worded
from relax.facts import brief
from relax.losses.definition import Labelled, Share
from relax.losses.evaluate import Block, blocks, summed
from relax.problem import Problem

MOST_SAMPLES = 600  # level "auto" gives every sample its own feature up to here
MOST_ENTRIES = 2**26  # similarities of one start; autograd holds some ten arrays of this size
STATIONARY = 1e-6  # distance to go, in features, that counts as converged
LEAST_EXCESS = 1e-290  # below, log(excess) leaves float64
SAME_FLOOR = 1e-9  # relative difference of two sums that are one floor


@brief
@dataclass(frozen=True, eq=False)
class Objective:
    """A problem at explicit vectors, one tensor (starts, n, dim) a role.

    Attributes
    ----------
    problem : Problem
        What is minimised.
    labelled : Labelled
        Whom the features belong to.
    parts : tuple of Block
        The anchors and what they see.
    charts : tuple of Chart
        The free parameters of each role.
    copies : tuple of tensors
        How many vectors each vector of a role stands for.
    normaliser : float
        What the sum over anchors is divided by.
    xp : TorchArrays
        Where the tensors are.
    relative : bool
        Whether the infimum is finite, so that the logarithm of the excess above it is minimised.
    """

    problem: Problem
    labelled: Labelled
    parts: tuple[Block, ...]
    charts: tuple[Chart, ...]
    copies: tuple[Float64[torch.Tensor, " _"], ...]
    normaliser: float
    xp: TorchArrays
    relative: bool = False

    @property
    def released(self) -> Objective | None:
        """The objective whose charts hold norms less, None where none does."""
        charts = tuple(chart.released for chart in self.charts)
        held = [chart.stage for chart in self.charts] == [chart.stage for chart in charts]
        return None if held else replace(self, charts=charts)

    @property
    def entries(self) -> int:
        """How many similarities one start has."""
        return len(self.copies[-1]) * len(self.copies[0])

    @property
    def flat(self) -> float:
        """The gradient that is left at distance STATIONARY of the optimum.

        log(excess) curves like 1/τ²; a loss without floor, a mean over n anchors of slopes 1/τ, like 1/(nτ).
        """
        tau = self.problem.temperature
        return STATIONARY / (tau**2 if self.relative else tau * len(self.copies[-1]) ** 0.5)

    def share(self, vectors: Sequence[Float64[torch.Tensor, "starts _ dim"]]) -> Share:
        """Return floor and excess of the loss, ridges in the excess, shape (starts,).

        Features are the last role; they read the first, which is themselves where there is one role.
        """
        read, features = vectors[0].mT, vectors[-1] / self.problem.temperature
        floor, excess = summed(
            self.problem.loss,
            self.parts,
            lambda anchors: features[..., anchors[0] : anchors[-1] + 1, :] @ read,  # anchors are neighbours
            self.normaliser,
        )
        for chart, copies, role in zip(self.charts, self.copies, vectors, strict=True):
            if chart.held == "free":  # a multiple of ‖·‖² for every vector, so that copies may multiply these
                excess = excess + chart.norm.cost(copies * role.square().sum(-1), self.xp)
        return Share(floor, excess)

    def minimised(self, excess: Float64[torch.Tensor, " starts"]) -> Float64[torch.Tensor, ""]:
        """Return Σ log(excess) over the starts, or Σ of the losses themselves where there is no floor."""
        return self.each(excess).sum()

    def each(self, excess: Float64[torch.Tensor, " starts"]) -> Float64[torch.Tensor, " starts"]:
        """Return log(excess) of each start, or its loss where there is no floor."""
        return excess.clamp(min=LEAST_EXCESS).log() if self.relative else excess


def objective_of(problem: Problem, level: str, device: str) -> Objective:
    """Return the objective of a problem, with a feature for each sample or for each class.

    Raises
    ------
    InputError
        If `level` is unknown, the loss has other vectors than features and classifiers, or there are so many
        features that their similarities are too many.
    """
    reduction = problem.reduction()
    roles, norms = reduction.nodes.roles, reduction.nodes.norms
    if roles not in (("feature",), ("classifier", "feature")):
        raise InputError(
            f"descent knows the roles feature and classifier, and the loss {problem.loss.name} has the roles "
            f"{', '.join(roles)}; give another loss"
        )
    labelled, xp = _labelled(problem, level, reduction.nodes.unit, len(roles)), TorchArrays(device)
    classes = np.arange(problem.counts.classes)
    read = None if len(roles) == 1 else classes
    owned = {"feature": (labelled.classes, labelled.copies), "classifier": (classes, np.ones_like(classes))}
    charts, copies = [], []
    for role, norm in zip(roles, norms, strict=True):
        owner, behind = owned[role]
        part = xp.integers(behind) / xp.integers(np.bincount(owner, behind)[owner] * len(classes))
        charts.append(Chart(norm or problem.norm, part, problem.nonnegative))
        copies.append(xp.integers(behind))
    parts = tuple(blocks(labelled, xp, block=len(labelled.classes), read=read))
    normaliser = float(problem.assembled(reduction).normaliser)  # of scales with the temperature too
    found = Objective(problem, labelled, parts, tuple(charts), tuple(copies), normaliser, xp)
    return replace(found, relative=_is_relative(found))


def _labelled(problem: Problem, level: str, unit: str, roles: int) -> Labelled:
    counts, views = problem.counts, problem.views
    if not isinstance(level, str) or level not in ("auto", "samples", "classes"):
        raise InputError(f"level {worded(level)} must be 'auto', 'samples' or 'classes'")
    few = counts.samples * views <= MOST_SAMPLES
    by_sample = level == "samples" or (level == "auto" and (few or unit != "class"))
    count = counts.samples * views if by_sample else counts.classes
    if count * (count if roles == 1 else counts.classes) > MOST_ENTRIES:
        mend = "take fewer samples, or level='classes'" if counts.classes < count else "take fewer classes"
        raise InputError(f"the Gram matrix of {count} features is too large for descent; {mend}")
    sizes = np.array(counts.sizes)[counts.group_of_class()]
    if not by_sample:
        return Labelled.collapsed(sizes, views)
    return Labelled.features(np.repeat(np.arange(counts.classes), sizes * views), views)


def _is_relative(objective: Objective) -> bool:
    """Return whether the program has a floor, and the excess of the definition is the excess above it."""
    infimum = objective.problem.program().floor
    if not np.isfinite(infimum):
        return False
    somewhere = [copies.new_ones((1, len(copies), 1)) for copies in objective.copies]
    floor = float(objective.share(somewhere).floor)
    return abs(floor - infimum) <= SAME_FLOOR * max(1.0, abs(infimum))
