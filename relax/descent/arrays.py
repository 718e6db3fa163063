"""Torch as an array library, for the definitions of losses and norms."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class TorchArrays:
    """Float64 tensors on one device, with derivatives that are finite wherever values are."""

    device: str = "cpu"
    exact = False

    def number(self, exact: Fraction | int) -> torch.Tensor:
        """Return the nearest float64, as a tensor without axes."""
        return torch.tensor(float(exact), dtype=torch.float64, device=self.device)

    def integers(self, counts: np.ndarray) -> torch.Tensor:
        """Return floats, exact up to 2**53."""
        return torch.from_numpy(counts.astype(np.float64)).to(self.device)

    def exp(self, x: torch.Tensor) -> torch.Tensor:
        """Return eˣ."""
        return x.exp()

    def expm1(self, x: torch.Tensor) -> torch.Tensor:
        """Return eˣ − 1."""
        return x.expm1()

    def log1p(self, x: torch.Tensor) -> torch.Tensor:
        """Return log(1 + x)."""
        return x.log1p()

    def sqrt(self, x: torch.Tensor) -> torch.Tensor:
        """Return √x."""
        return x.sqrt()

    def log(self, x: torch.Tensor) -> torch.Tensor:
        """Return log x; −∞ at zero, with derivative 0 there, as 0·∞ would spoil all others."""
        if not x.requires_grad:
            return x.log()
        nothing = x == 0
        return x.masked_fill(nothing, 1.0).log().masked_fill(nothing, -torch.inf)

    def where(self, condition: torch.Tensor, yes: Any, no: Any) -> torch.Tensor:
        """Return `yes` where the condition holds, `no` elsewhere."""
        # two plain numbers would make a tensor of float32
        return torch.where(condition, self._tensor(yes), self._tensor(no))

    def at_most(self, x: torch.Tensor, bound: float) -> torch.Tensor:
        """Return min(x, bound); at the bound the derivative is that of x."""
        return x.clamp(max=bound)

    def at_least(self, x: torch.Tensor, bound: Any) -> torch.Tensor:
        """Return max(x, bound); at the bound the derivative is that of x."""
        return x.clamp(min=bound)

    def top(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the largest entry of each line where the mask holds; a constant to derivatives.

        It is what sums of exponentials are shifted by, from which their derivatives are free.
        """
        return x.detach().masked_fill(~mask, -torch.inf).amax(-1)

    def _tensor(self, number: Any) -> torch.Tensor:
        return torch.as_tensor(number, dtype=torch.float64, device=self.device)
