"""Free parameters of vectors whose norms obey a rule, and of vectors without negative entries."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float64

from relax.norms import Ball, MeanSquare, Norm, Sphere

INWARD = 0.9  # a search within the bound starts this far out, on the rays where that at the bound ended


@dataclass(frozen=True, eq=False)
class Chart:
    """A smooth map from free parameters v to the vectors of one role.

    With q the squared norm beside its bound, at the bound the vectors are v/√q, within it 2v/(1+q): smooth,
    and the fold q = 1 makes active constraints ordinary minima. For `Sphere` and `Ball`, q is each vector's
    own; for `MeanSquare` it is common to all. A ridge leaves v as it is. Non-negative vectors take u∘u for v:
    where an entry of the optimum is zero and pushed below, u = 0 is an ordinary minimum as well.

    Attributes
    ----------
    norm : Norm
        What the vectors obey.
    part : tensor, shape (n,)
        The weight of each vector in the mean over classes of the mean over the class.
    nonnegative : bool
        Whether vectors have no negative entries.
    at_bound : bool
        Whether norms are held at their bound, which is all that a sphere knows.
    """

    norm: Norm
    part: Float64[torch.Tensor, " n"]
    nonnegative: bool
    at_bound: bool = True

    @property
    def bounds(self) -> bool:
        """Whether the norm is an upper bound, so that the optimum may lie within."""
        return isinstance(self.norm, (Ball, MeanSquare))

    @property
    def pays(self) -> bool:
        """Whether norms have a price instead of a bound."""
        return not isinstance(self.norm, (Sphere, Ball, MeanSquare))

    def within(self) -> Chart:
        """Return the chart of the vectors within their bound."""
        return replace(self, at_bound=not self.bounds)

    def start(
        self, directions: Float64[torch.Tensor, "starts n dim"]
    ) -> Float64[torch.Tensor, "starts n dim"]:
        """Return parameters of vectors in these directions, without their signs where there are none."""
        return directions.abs().sqrt() if self.nonnegative else directions

    def vectors(self, free: Float64[torch.Tensor, "starts n dim"]) -> Float64[torch.Tensor, "starts n dim"]:
        """Return the vectors."""
        plain = free.square() if self.nonnegative else free
        size = self._size(plain)
        if size is None:
            return plain
        return plain / size.sqrt() if self.at_bound else 2 * plain / (1 + size)

    def reduced(self, free: Float64[torch.Tensor, "starts n dim"]) -> Float64[torch.Tensor, "starts n dim"]:
        """Return parameters of the same vectors, not beyond the bound: far out, the gradient fades."""
        size = self._size(free.square() if self.nonnegative else free)
        if size is None:
            return free
        factor = 1 / (size.sqrt() if self.at_bound else size.clamp(min=1.0))
        return free * (factor.sqrt() if self.nonnegative else factor)

    def _size(
        self, plain: Float64[torch.Tensor, "starts n dim"]
    ) -> Float64[torch.Tensor, "starts _ 1"] | None:
        squared = plain.square().sum(-1, keepdim=True)
        match self.norm:
            case Sphere(radius) | Ball(radius):
                return squared / radius**2
            case MeanSquare(square):
                return (self.part[:, None] * squared).sum(-2, keepdim=True) / square
            case _:
                return None
