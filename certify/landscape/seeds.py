"""Starting points that random ones miss: flipped samples, shattered and merged classes, lower dimensions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice

import numpy as np
from jaxtyping import Float64, Int

from relax.facts import brief
from relax.geometry import class_means

NOISE = 0.02  # by which the second copy of each seed is perturbed: symmetric ones end at saddles
MOST_CLASSES = 12  # of which one sample is flipped, one shattered
MOST_PAIRS = 24  # of classes that are merged
CODES = 12  # random ones of each class: not all are rigid
REPULSION = 300  # steps in which the points of a spherical code push each other apart
FIRST_PUSH, LAST_PUSH = 0.2, 0.005  # the longest of a step

Features = Float64[np.ndarray, "n d"]


@brief
class Seeds:
    """What seeds are made of: the class of each feature, the lowest point known there, and the temperature.

    All are on the unit sphere, where the temperature is that of cosines.
    """

    def __init__(
        self, labels: Int[np.ndarray, " n"], base: Features, temperature: float, random: np.random.Generator
    ) -> None:
        self.labels, self.base, self.temperature, self.random = labels, base, temperature, random
        self.n, self.dim = base.shape
        self.k = int(labels.max()) + 1
        self.sizes = np.bincount(labels)
        self.means = class_means(base, labels)

    def named(self) -> Iterator[tuple[str, Features]]:
        """Yield each seed, and again perturbed, with the name of its kind."""
        kinds = {
            "flipped sample": self.flipped(),
            "shattered class": self.shattered(),
            "merged classes": self.merged(),
            "fewer dimensions": self.flat(),
            "permuted classes": self.permuted(),
        }
        for name, seeds in kinds.items():
            for features in seeds:
                yield name, features
                yield name, features + NOISE * self.random.normal(size=features.shape)

    def flipped(self) -> Iterator[Features]:
        """Yield the lowest point with one sample of a class at its antipode."""
        for c in self._classes(2):
            features = self.base.copy()
            first = np.flatnonzero(self.labels == c)[0]
            features[first] = -features[first]
            yield features

    def shattered(self) -> Iterator[Features]:
        """Yield classes whose samples all stand alone, as a rigid code, the others at opposite poles."""
        for c in self._of_each_size(3):
            of_class = self.labels == c
            for poles in [self._poles()] * CODES + [self.base]:
                features = poles.copy()
                features[of_class] = self._code(int(of_class.sum()), poles[~of_class])
                yield features
            features = self._poles()
            features[of_class] = self._antipodes(int(of_class.sum()))
            yield features
        nothing = np.zeros((0, self.dim))
        yield self._antipodes(self.n)  # all classes at once: the cross-polytope
        yield self._code(self.n, nothing)

    def merged(self) -> Iterator[Features]:
        """Yield the lowest point with two classes on one point, halfway between them."""
        for a, b in islice(combinations(range(self.k), 2), MOST_PAIRS):
            features, middle = self.base.copy(), self.means[a] + self.means[b]
            if np.linalg.norm(middle) < 1e-3:
                middle = self.means[a]
            features[(self.labels == a) | (self.labels == b)] = middle / max(np.linalg.norm(middle), 1e-300)
            yield features

    def flat(self) -> Iterator[Features]:
        """Yield collapsed classes in fewer dimensions, evenly around a circle and at random."""
        for rank in range(1, self.dim):
            features = np.zeros((self.n, self.dim))
            features[:, :rank] = self.random.normal(size=(self.k, rank))[self.labels]
            yield features
        if self.dim >= 2:
            angle = 2 * np.pi * np.arange(self.k) / self.k
            circle = np.zeros((self.k, self.dim))
            circle[:, 0], circle[:, 1] = np.cos(angle), np.sin(angle)
            yield circle[self.labels]

    def permuted(self) -> Iterator[Features]:
        """Yield the classes of the lowest point in another order, and at fresh random places."""
        yield self.means[np.roll(np.arange(self.k), 1)][self.labels]
        yield self.means[self.random.permutation(self.k)][self.labels]
        yield self.random.normal(size=(self.k, self.dim))[self.labels]

    def _classes(self, least: int) -> list[int]:
        """Return the first classes with so many samples."""
        return np.flatnonzero(self.sizes >= least)[:MOST_CLASSES].tolist()

    def _of_each_size(self, least: int) -> list[int]:
        """Return one class of each size, of those with so many samples."""
        sizes, first = np.unique(self.sizes, return_index=True)
        return first[sizes >= least][:MOST_CLASSES].tolist()

    def _poles(self) -> Features:
        """Return classes at the two ends of the last axis, one after the other."""
        pole = np.zeros((self.k, self.dim))
        pole[:, -1] = 1.0 - 2.0 * (np.arange(self.k) % 2)
        return pole[self.labels]

    def _antipodes(self, count: int) -> Float64[np.ndarray, "count d"]:
        """Return ±e_1, ±e_2, … and around again, in pairs."""
        pair = np.arange(count) // 2
        code = np.eye(self.dim)[pair % self.dim]
        code[1::2] *= -1
        return code

    def _code(self, count: int, others: Float64[np.ndarray, "m d"]) -> Float64[np.ndarray, "count d"]:
        """Return random points of the sphere that have pushed each other apart, and away from others.

        They go down Σ_i log Σ_{l≠i} exp(cos_il/τ), l over all points and the others, in ever shorter steps:
        the denominators of the loss are such sums, so that the code is rigid where the numerators are weak.
        """
        code = self.random.normal(size=(count, self.dim))
        code /= np.linalg.norm(code, axis=1, keepdims=True)
        itself = np.arange(count)
        for push in np.linspace(FIRST_PUSH, LAST_PUSH, REPULSION):
            all_points = np.concatenate([code, others])
            exponent = code @ all_points.T / self.temperature
            exponent[itself, itself] = -np.inf
            share = np.exp(exponent - exponent.max(axis=1, keepdims=True, initial=-1e300))
            share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
            force = -share @ all_points - share[:, :count].T @ code
            force -= (force * code).sum(axis=1, keepdims=True) * code
            code = code + push * force / max(float(np.abs(force).max()), 1e-300)
            code /= np.linalg.norm(code, axis=1, keepdims=True)
        return code
