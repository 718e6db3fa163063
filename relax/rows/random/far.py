"""Peers whose α is not small, at a node: one by one, or where few are drawn by a series in e^{−α}.

With r the odds w z/(1 − w + w z) and ρ = w z/(1 − w), f(α) = log(1 + r (e^{−α} − 1)) is
log(1 − r) + log(1 + ρ e^{−α}), and the share of one population that is drawn is ρ e^{−α}/(1 + ρ e^{−α}).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from relax.facts import brief
from relax.rows.random.circle import Circle, log1p


@brief
@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of a node j and a peer, sorted by (j, row), one by one."""

    circle: Circle
    alpha: Float[np.ndarray, "J t m"]
    far: Bool[np.ndarray, "J t m"]

    @cached_property
    def _places(self) -> tuple[np.ndarray, ...]:
        return np.nonzero(self.far)

    @cached_property
    def _start(self) -> Int[np.ndarray, " s"]:
        """Where the pairs of one (j, row) begin."""
        node, row, _ = self._places
        return np.flatnonzero(np.diff(node * self.alpha.shape[1] + row, prepend=-1))

    @cached_property
    def _each(
        self,
    ) -> tuple[Float[np.ndarray, "d 1"], Complex[np.ndarray, "d c"], Complex[np.ndarray, "d c"]]:
        """α, the share that is drawn, and f."""
        alpha, ring = self.alpha[self._places][:, None], self.circle
        fall = np.expm1(-alpha)
        base = np.exp(ring.log_factor)
        left = base + ring.drawn * fall
        share = np.ones_like(left)  # where all are drawn, even of what weighs nothing
        np.divide(ring.drawn * (1.0 + fall), left, out=share, where=left != 0)
        return alpha, share, log1p(ring.odds * fall, np.abs(left) / np.abs(base))

    def logs(self, counts: Float[np.ndarray, "t m"]) -> Complex[np.ndarray, "J t c"]:
        """Return Σ_e count_e f(α_e)."""
        return self._onto(counts, self._each[2])

    def pull(self, factor: Float[np.ndarray, "t m"]) -> Complex[np.ndarray, "J t c"]:
        """Return Σ_e factor_e α_e share_e."""
        alpha, share, _ = self._each
        return self._onto(factor, alpha * share)

    def _onto(self, factor: np.ndarray, terms: np.ndarray) -> np.ndarray:
        node, row, peer = self._places
        found = np.zeros((*self.alpha.shape[:2], len(self.circle.odds)), dtype=complex)
        if len(node):
            sums = np.add.reduceat(factor[row, peer][:, None] * terms, self._start)
            found[node[self._start], row[self._start]] = sums
        return found

    def slope(self, mean: Complex[np.ndarray, "J t c"]) -> Float[np.ndarray, "t m"]:
        """Return Re Σ_j Σ_c mean · α share."""
        alpha, share, _ = self._each
        return self._gather(mean, alpha * share)

    def bend(self, mean: Complex[np.ndarray, "J t c"]) -> Float[np.ndarray, "t m"]:
        """Return Re Σ_j Σ_c mean · α d(α share)/dα."""
        alpha, share, _ = self._each
        return self._gather(mean, alpha * share * (1.0 - alpha * (1.0 - share)))

    def square(self, mean: Complex[np.ndarray, "J t c"]) -> Float[np.ndarray, "t m"]:
        """Return Re Σ_j Σ_c mean · (α share)²."""
        alpha, share, _ = self._each
        return self._gather(mean, (alpha * share) ** 2)

    def _gather(self, mean: np.ndarray, terms: np.ndarray) -> np.ndarray:
        node, row, peer = self._places
        held = mean[node, row]
        found = np.einsum("dc,dc->d", np.real(held), np.real(terms))
        found -= np.einsum("dc,dc->d", np.imag(held), np.imag(terms))
        rows, peers = self.alpha.shape[1:]
        summed = np.bincount(row * peers + peer, found, rows * peers).reshape(rows, peers)
        return summed.astype(np.float64)  # integers where there are no pairs


@brief
@dataclass(frozen=True, eq=False)
class Tail:
    """The same by Σ_p (−1)^{p−1} (ρ e^{−α})^p, |ρ| being small."""

    circle: Circle
    alpha: Float[np.ndarray, "J t m"]
    far: Bool[np.ndarray, "J t m"]

    @cached_property
    def _y(self) -> Float[np.ndarray, "J t m"]:
        return np.where(self.far, np.exp(-self.alpha), 0.0)

    @cached_property
    def _order(self) -> Int[np.ndarray, "p 1"]:
        return np.arange(1, len(self.circle.tail) + 1)[:, None]

    def logs(self, counts: Float[np.ndarray, "t m"]) -> Complex[np.ndarray, "J t c"]:
        """Return Σ_e count_e f(α_e)."""
        gone = np.einsum("te,jte->jt", counts, self.far)[..., None] * self.circle.log_nothing
        return gone + self._sums(counts * np.ones_like(self.alpha)) @ (self.circle.tail / self._order)

    def pull(self, factor: Float[np.ndarray, "t m"]) -> Complex[np.ndarray, "J t c"]:
        """Return Σ_e factor_e α_e share_e."""
        return self._sums(factor * self.alpha) @ self.circle.tail

    def _sums(self, factor: Float[np.ndarray, "J t m"]) -> Float[np.ndarray, "J t p"]:
        """Return Σ_e factor_e e^{−p α_e}."""
        term, sums = factor * self._y, []
        for _ in self.circle.tail:
            sums.append(term.sum(axis=2))
            term = term * self._y
        return np.stack(sums, axis=2)

    def slope(self, mean: Complex[np.ndarray, "J t c"]) -> Float[np.ndarray, "t m"]:
        """Return Re Σ_j Σ_c mean · α share."""
        return np.einsum("jte,jte->te", self.alpha, self._series(mean, self.circle.tail))

    def bend(self, mean: Complex[np.ndarray, "J t c"]) -> Float[np.ndarray, "t m"]:
        """Return Re Σ_j Σ_c mean · α d(α share)/dα, share (1 − share) being Σ_p p (…)^p."""
        turned = self._series(mean, self._order * self.circle.tail)
        return self.slope(mean) - np.einsum("jte,jte,jte->te", self.alpha, self.alpha, turned)

    def square(self, mean: Complex[np.ndarray, "J t c"]) -> Float[np.ndarray, "t m"]:
        """Return Re Σ_j Σ_c mean · (α share)²."""
        series = self._series(mean, (1 - self._order) * self.circle.tail)
        return np.einsum("jte,jte,jte->te", self.alpha, self.alpha, series)

    def _series(self, mean: np.ndarray, coefficients: np.ndarray) -> Float[np.ndarray, "J t m"]:
        """Return Re Σ_c mean Σ_p coefficient_pc e^{−pα}, zero where α is small."""
        weight = np.real(mean) @ np.real(coefficients).T - np.imag(mean) @ np.imag(coefficients).T
        found = np.zeros_like(self.alpha)
        for p in range(len(coefficients) - 1, -1, -1):
            found += weight[:, :, p, None]
            found *= self._y
        return found
