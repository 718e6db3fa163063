"""Free parameters of vectors whose norms obey a rule, and of vectors without negative entries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float64

from relax.facts import brief
from relax.norms import Ball, MeanSquare, Norm, Sphere

Held = Literal["each", "all", "within", "free"]
INWARD = 0.9  # a search within the bound starts this far out, on the rays where that at the bound ended


Vectors = Float64[torch.Tensor, "starts n dim"]


@brief
@dataclass(frozen=True, eq=False)
class Chart:
    """A smooth map from free parameters v to the vectors of one role.

    With q the squared norm over its bound, vectors are v/√q where norms are held at the bound, and 2v/(1+q)
    within it: smooth, and the fold q = 1 makes active constraints ordinary minima. For `MeanSquare` all
    vectors have one q in common. A ridge leaves v as it is. Non-negative vectors take u∘u for v: where an
    entry of the optimum is zero and pushed below, u = 0 is an ordinary minimum as well.

    Whatever the norm may be in the end, bounded vectors are first held at the bound one by one: grown from
    inside, or from different lengths, the classes would follow a valley that ever narrows.

    Attributes
    ----------
    norm : Norm
        What the vectors obey.
    part : tensor, shape (n,)
        The weight of each vector in the mean over classes of the mean over the class.
    nonnegative : bool
        Whether vectors have no negative entries.
    stage : int
        How often the norms have been released; see `held`.
    """

    norm: Norm
    part: Float64[torch.Tensor, " n"]
    nonnegative: bool
    stage: int = 0

    @property
    def _stages(self) -> tuple[Held, ...]:
        match self.norm:
            case Sphere():
                return ("each",)
            case Ball():
                return ("each", "within")
            case MeanSquare():
                return ("each", "all", "within")
            case _:
                return ("free",)

    @property
    def held(self) -> Held:
        """Whether norms are at their bound each, or all together, or within it, or free."""
        return self._stages[self.stage]

    @property
    def released(self) -> Chart:
        """The chart that holds norms less; this one, where it holds them as the norm does."""
        return replace(self, stage=min(self.stage + 1, len(self._stages) - 1))

    def start(self, directions: Vectors) -> Vectors:
        """Return parameters of vectors in these directions, without their signs where there are none."""
        return directions.abs().sqrt() if self.nonnegative else directions

    def vectors(self, free: Vectors) -> Vectors:
        """Return the vectors."""
        plain = free.square() if self.nonnegative else free
        if self.held == "free":
            return plain
        size = self.size(plain)
        return 2 * plain / (1 + size) if self.held == "within" else plain / size.sqrt()

    def reduced(self, free: Vectors) -> Vectors:
        """Return parameters of the same vectors, not beyond the bound: far out, the gradient fades."""
        if self.held == "free":
            return free
        size = self.size(free.square() if self.nonnegative else free)
        factor = 1 / (size.clamp(min=1.0) if self.held == "within" else size.sqrt())
        return free * (factor.sqrt() if self.nonnegative else factor)

    def tangential(self, free: Vectors, way: Vectors) -> Vectors:
        """Return a direction without its radial part, along which vectors would not move: of fixed norms."""
        if self.held not in ("each", "all"):
            return way
        axes = -1 if self.held == "each" else (-2, -1)
        inward = (way * free).sum(axes, keepdim=True) / free.square().sum(axes, keepdim=True)
        return way - inward * free

    def size(self, plain: Vectors) -> Float64[torch.Tensor, "starts _ 1"]:
        """Return q, the squared norm over its bound."""
        squared = plain.square().sum(-1, keepdim=True)
        if not isinstance(self.norm, MeanSquare):
            assert isinstance(self.norm, (Sphere, Ball))
            return squared / self.norm.radius**2
        if self.held != "each":
            squared = (self.part[:, None] * squared).sum(-2, keepdim=True)
        return squared / self.norm.square
