# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does a ReLU restore the symmetry that imbalance breaks?
#
# **Yes.** If features have no negative entry, the best class vectors are orthogonal, whatever the class sizes and the
# temperature. Without the restriction, imbalance bends them. (Kini et al., arXiv 2306.07960.)

# %%
import numpy as np
from matplotlib import pyplot as plt

from relax import Problem, solve
from relax.plots import against_ratio


def cosines(ratios, temperature, nonnegative):
    """Return the cosines at the optimum of two classes of 10 R samples and two of 10."""
    rows = []
    for ratio in ratios:
        problem = Problem.step(2, 2, round(10 * ratio), 10, temperature=temperature, nonnegative=nonnegative)
        gram = solve(problem).gram
        rows.append((ratio, gram[0, 1], gram[2, 3], gram[0, 2]))
    return dict(zip(("ratio", "alpha", "beta", "gamma"), np.array(rows).T, strict=True))


ratios = np.geomspace(1, 1000, 31)
free, relu = (cosines(ratios, 0.5, nonnegative) for nonnegative in (False, True))
figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.6), layout="constrained", sharey=True)
for table, axes, title in ((free, left, "free features"), (relu, right, "non-negative features")):
    against_ratio(table, ax=axes)
    axes.set_title(f"{title}, τ = 0.5")
left.get_legend().remove()
right.set_ylabel("")
# %% [markdown]
# Two classes are large, two are small. On the left all three cosines start at −1/3, the simplex, and part. On the right
# they are zero at every ratio.

# %%
assert abs(free["beta"][0] + 1 / 3) < 1e-9 and free["beta"][-1] > 0.9
assert all(np.abs(relu[name]).max() < 1e-12 for name in ("alpha", "beta", "gamma"))

# %% [markdown]
# ## How it is known
#
# `certify` proves a lower bound on the loss of every non-negative feature matrix, in every dimension, and the loss of
# one that attains it. The bound is the closed form
#
# $$\frac1{N_+}\sum_{c:\,n_c\ge2} n_c \log\bigl(n_c-1+(n-n_c)\,e^{-1/\tau}\bigr),$$
#
# because similarities of non-negative vectors are at least zero, and Jensen's inequality holds for positives. It is
# evaluated here with 60 digits by another library, and lies between the proven bounds.

# %%
from mpmath import exp, log, mp, mpf

from certify import certify

mp.dps = 60


def closed_form(counts, temperature):
    n = sum(counts)
    rows = [c * log(c - 1 + (n - c) * exp(-1 / mpf(temperature))) for c in counts if c > 1]
    return sum(rows) / sum(c for c in counts if c > 1)


for counts, temperature in (([1000, 1000, 10, 10], "0.5"), ([500, 50, 5, 1], "0.1"), ([9, 7, 5, 3, 2], "2")):
    proof = certify(solve(Problem(counts, temperature=float(temperature), nonnegative=True)))
    value = closed_form(counts, temperature)
    assert proof.verdict.name == "CERTIFIED" and mpf(proof.lower) <= value <= mpf(proof.upper)
    print(
        counts,
        f"τ = {temperature}:",
        proof.verdict.name,
        f"{mp.nstr(value, 16)}, gap ≤ {proof.gap_in_words()}",
    )

# %% [markdown]
# Gradient descent agrees: from eight random starts, one non-negative feature a sample, four dimensions, it ends with the
# same Gram matrix.

# %%
from relax.descent import descend, match

small = solve(Problem([12, 12, 3, 3], temperature=0.5, nonnegative=True))
found = match(descend(small.problem, dim=4, starts=8), small.gram, small.value)
dict(found.facts())

# %% [markdown]
# ## How far the free optimum is from symmetric
#
# Kini et al. measure the distance of the normalised Gram matrix of class means from the normalised identity, and
# centre the means first where features may be negative. Subtract the mean of the four class vectors from an orthogonal
# frame, and it is a simplex: exactly, in fractions.

# %%
from fractions import Fraction

k = 4
centred = [[Fraction(i == j) - Fraction(1, k) for j in range(k)] for i in range(k)]
product = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in centred] for u in centred]
assert {product[i][j] / product[i][i] for i in range(k) for j in range(k) if i != j} == {Fraction(-1, 3)}

# %% [markdown]
# The free optimum is no simplex, and the distance from it grows with the ratio.

# %%
simplex, frame = np.eye(4) - 1 / 4, np.eye(4)


def distance(gram, target):
    """Return the Frobenius distance of two matrices, each divided by its norm."""
    return np.linalg.norm(gram / np.linalg.norm(gram) - target / np.linalg.norm(target))


for ratio in (1, 2, 10, 100, 1000):
    here = Problem.step(2, 2, 10 * ratio, 10, temperature=0.5)
    there = Problem.step(2, 2, 10 * ratio, 10, temperature=0.5, nonnegative=True)
    apart = distance(solve(here).gram, simplex), distance(solve(there).gram, frame)
    print(f"R = {ratio:4}: free {apart[0]:.4f}, non-negative {apart[1]:.4f}")
    assert apart[1] < 1e-12 and (apart[0] > 0.05) == (ratio > 1)

# %% [markdown]
# At ratio one its derivative is not zero: the least imbalance already bends the free geometry. The cosine of the small
# classes moves by the number below for each unit of R; that of an orthogonal frame does not move at all.

# %%
step = 1e-4
counts = [np.array([10_000 * (1 + s), 10_000 * (1 + s), 10_000, 10_000]) for s in (0, step)]
near = [solve(Problem(each.round().astype(int), temperature=0.5)).gram[2, 3] for each in counts]
slope = (near[1] - near[0]) / step
print(f"d(cosine of small classes)/dR at R = 1: {slope:.3f}")
assert 0.1 < slope < 1

# %% [markdown]
# ## Where it stops being true
#
# **Centring with class sizes.** The mean must be that of the *classes*. Subtract the mean of the samples instead, in
# which large classes weigh more, and the orthogonal frame turns into something bent.

# %%
p = np.array([100, 100, 10, 10]) / 220
by_samples = (np.eye(4) - p) @ (np.eye(4) - p).T
norms = np.sqrt(by_samples.diagonal())
print((by_samples / np.outer(norms, norms)).round(3))
assert distance(by_samples, simplex) > 0.2

# %% [markdown]
# **Too few dimensions.** k orthogonal vectors need k dimensions; the free optimum needs k − 1. In three dimensions four
# non-negative vectors cannot be orthogonal, and the loss stays above the proven least one.

# %%
tight = descend(small.problem, dim=3, starts=8)
print(f"above the optimum: {tight.losses.min() - small.value:.4f} in three dimensions, ", end="")
print(f"{descend(small.problem, dim=4, starts=8).losses.min() - small.value:.0e} in four")
assert tight.losses.min() > small.value + 1e-3

# %% [markdown]
# **Batches that never meet.** With fixed batches the frame is still optimal, but no longer alone: two classes that share
# no batch may coincide at no cost. Here classes 0 and 2 never meet. Both of the following have the least loss, to all
# digits.

# %%
from certify.features import loss_of_features

apart = "fixed-batches:labels=0.0.1.1.2.2,batches=0.1.2.3/2.3.4.5"
batches = Problem([2, 2, 2], apart, temperature=0.5, nonnegative=True)
optimum = certify(solve(batches))
orthogonal = np.repeat(np.eye(3), 2, axis=0)
coinciding = orthogonal[[0, 1, 2, 3, 0, 1]]
losses = [loss_of_features(features, batches) for features in (orthogonal, coinciding)]
print(optimum.verdict.name, f"least loss ≥ {optimum.lower}", *(loss.str(18) for loss in losses), sep="\n")
assert all(abs(float(loss) - float(optimum.lower)) < 1e-14 for loss in losses)

# %% [markdown]
# Where batches of three or more are drawn at random, every pair of classes meets, and the frame is the only optimum
# again. The cure for fixed ones is to add the same sample of each class to every batch ("batch-binding").
#
# **A head without ReLU.** What counts is the sign of the features in the loss. A network with ReLUs inside whose last
# layer is linear has free features, and the left half of the picture is its model.
