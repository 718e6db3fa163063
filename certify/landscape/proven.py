"""What `prove_minimum` and `prove_saddle` return."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from certify.certificate import Certificate
from certify.landscape.grammar import require_stationary
from certify.rounding import downward, upward
from relax.errors import InputError
from relax.facts import Shown, brief
from relax.files import write_atomically
from relax.problem import Problem


@brief
@dataclass(frozen=True, eq=False)
class ProvenPoint(Shown):
    """What is proven of the stationary point near given features, or why nothing is.

    Decimals are rounded outward. Where `proven` is False, `reason` says why and the rest is None.

    Attributes
    ----------
    problem : Problem
        What is minimised, in dimension `features.shape[1]`.
    proven : bool
        Whether the statement holds; False means undecided.
    reason : str
        In one sentence.
    features : array, shape (n, d)
        The named point, polished, samples class by class in the problem's order.
    document : dict or None
        The file, as JSON values (docs/landscape-proofs.md, "The format"); the properties read its claim.
    certificate : Certificate or None
        Of the optimum over every dimension; of saddles there is none.
    """

    problem: Problem
    proven: bool
    reason: str
    features: Float64[np.ndarray, "n d"]
    document: dict[str, Any] | None = None
    certificate: Certificate | None = None

    def _claim(self, key: str) -> Any:
        return None if self.document is None else self.document["claim"][key]

    @property
    def verdict(self) -> str:
        """PROVEN or UNDECIDED."""
        return "PROVEN" if self.proven else "UNDECIDED"

    @property
    def words(self) -> str:
        """What is proven, in one sentence; the reason why not otherwise."""
        return self._claim("words") or self.reason

    @property
    def radius(self) -> str | None:
        """The stationary point has every entry within this of `features`."""
        return self._claim("radius")

    @property
    def alone(self) -> str | None:
        """No other features within this of `features` (Frobenius norm) are stationary, up to rotation."""
        return self._claim("alone")

    @property
    def loss(self) -> tuple[str, str] | None:
        """Decimals below and above the loss of the stationary point."""
        said = self._claim("loss")
        return None if said is None else (said[0], said[1])

    @property
    def optimum(self) -> tuple[str | None, str] | None:
        """Decimals below and above the least loss over every dimension."""
        said = self._claim("optimum")
        return None if said is None else (said[0], said[1])

    @property
    def better(self) -> str | None:
        """A loss that other features of the same dimension are proven to have, or less."""
        return self._claim("better")

    @property
    def worse_by(self) -> str | None:
        """Proven lower bound on the loss less `better`; None where the point is not proven worse."""
        return self._claim("worse_by")

    @property
    def relative(self) -> str | None:
        """Proven lower bound on `worse_by` over the optimum's excess (hence over its scale)."""
        return self._claim("relative")

    @property
    def curvature(self) -> str | None:
        """A bound on the second order.

        Of a minimum: below the smallest eigenvalue of the Hessian modulo rotation. Of a saddle: above the
        curvature vᵀ Q v/|v|² along its direction.
        """
        return self._claim("curvature")

    @property
    def multipliers(self) -> tuple[tuple[str, str], ...]:
        """Decimals below and above each ν_i, D H + diag(ν) H = 0."""
        return tuple((low, high) for low, high in self._claim("multipliers") or ())

    @property
    def negative(self) -> tuple[int, ...]:
        """The samples, from 0 on, whose multiplier is proven negative: their norm would rather shrink."""
        return tuple(i for i, (_, high) in enumerate(self.multipliers) if float(high) < 0)

    @property
    def siblings(self) -> tuple[int, int] | None:
        """Pairs of siblings proven distinct, and how many of them have ν_i + ν_j < 2 D_ij for sure."""
        said = self._claim("siblings")
        return None if said is None else (said["distinct"], said["proven"])

    def in_brief(self) -> str:
        """Return verdict, problem and loss."""
        said = f"loss ≥ {downward(self.loss[0], 7)}" if self.loss else self.reason
        return f"{self.verdict}, {self.problem.in_brief()}, dimension {self.features.shape[1]}, {said}"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        said = [("verdict", f"{self.verdict}: {self.reason}")]
        if self.loss is None or self.radius is None or self.curvature is None:
            return said
        low = downward if self.kind == "minimum" else upward
        said += [
            ("loss", f"between {downward(self.loss[0], 10)} and {upward(self.loss[1], 10)}"),
            ("stationary", f"within {upward(self.radius, 2)} of these features, entry by entry"),
            ("curvature", f"{'≥' if self.kind == 'minimum' else '≤'} {low(self.curvature, 4)}"),
            ("multipliers", f"{len(self.negative)} of {len(self.multipliers)} proven negative"),
        ]
        if self.optimum is not None:
            said.append(("optimum", f"at most {upward(self.optimum[1], 10)}, over every dimension"))
        if self.worse_by is not None:
            part = "" if self.relative is None else f", {downward(self.relative, 4)} of the optimum's excess"
            said.append(("worse by", f"at least {downward(self.worse_by, 5)}{part}"))
        return said

    @property
    def kind(self) -> str:
        """Return "minimum" or "saddle"."""
        return "saddle" if isinstance(self, ProvenSaddle) else "minimum"

    def save(self, path: str | Path) -> None:
        """Write the proof (to a temporary file, then renamed); `gramcert check` verifies it.

        Raises
        ------
        InputError
            If nothing is proven, or the file cannot be written.
        """
        if self.document is None:
            raise InputError(f"nothing is proven, so there is no file to write: {self.reason}")
        require_stationary(self.document)
        write_atomically(path, json.dumps(self.document, ensure_ascii=True) + "\n")


class ProvenMinimum(ProvenPoint):
    """A strict local minimum modulo rotation near given features, and by how much it is worse than others."""


class ProvenSaddle(ProvenPoint):
    """A stationary point near given features with a direction along which the loss falls."""
