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
# # Do cross-entropy and supervised contrast bend the same way under imbalance?
#
# **No.** On the unit sphere at τ = 0.1 supervised contrast draws the features of small classes together, while
# cross-entropy draws together their *classifiers* and leaves the features close to the simplex. With free lengths it is
# the other way round: cross-entropy puts the small classes on one point at a finite ratio, features and classifiers.

# %%
import numpy as np
from matplotlib import pyplot as plt

from relax import MeanSquare, Problem, Ridge, solve
from relax.plots.canvas import log_ticks
from relax.plots.themes import series

PEELED = {"loss": "cross-entropy:classifier=mean-square:1", "norm": MeanSquare(5.0)}


def step(ratio, minority=10, **options):
    """Return the optimum of five classes of `minority · ratio` samples and five of `minority`."""
    return solve(Problem.step(5, 5, round(minority * ratio), minority, **options))


def cosine(solution, role, first=-1, second=-2):
    """Return the cosine between two classes' vectors of a role, two small ones by default."""
    gram = solution.block(role, role)
    return gram[first, second] / np.sqrt(gram[first, first] * gram[second, second])


ratios = np.geomspace(1, 1000, 28)
supcon = [step(r, temperature=0.1) for r in ratios]
entropy = [step(r, loss="cross-entropy", temperature=0.1) for r in ratios]
peeled = [step(r, **PEELED) for r in ratios]
figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained", sharey=True)
for axes, place, words, solutions, role in (
    (left, 0, "contrast, features", supcon, "feature"),
    (left, 1, "cross-entropy, classifiers", entropy, "classifier"),
    (left, 2, "cross-entropy, features", entropy, "feature"),
    (right, 1, "cross-entropy, classifiers", peeled, "classifier"),
    (right, 2, "cross-entropy, features", peeled, "feature"),
):
    values = [cosine(solution, role) for solution in solutions]
    axes.plot(ratios, values, **series(place), ms=4, label=words)
for axes, title in ((left, "unit vectors, τ = 0.1"), (right, "free lengths (layer-peeled)")):
    axes.set_xscale("log")
    log_ticks(axes, "x", 1, 1000)
    axes.axhline(-1 / 9, color="grey", lw=0.8, ls=":")
    axes.set(title=title, xlabel="ratio R of class sizes, large to small")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
left.set_ylabel("cosine of two small classes")
plt.show()

# %% [markdown]
# Ten classes, five large and five small; the dotted line is the simplex, −1/9. The numbers at R = 100, and the
# statements above:

# %%
at = int(np.argmin(np.abs(ratios - 100)))
print("contrast, features            ", round(cosine(supcon[at], "feature"), 3))
for name, solutions in (("unit vectors", entropy), ("free lengths", peeled)):
    said = {role: round(cosine(solutions[at], role), 3) for role in ("classifier", "feature")}
    print(f"cross-entropy, {name}:", said)
assert cosine(supcon[at], "feature") > 0.1
assert cosine(entropy[at], "classifier") > 0.3
assert all(abs(cosine(one, "feature") + 1 / 9) < 0.03 for one in entropy)
assert all(cosine(peeled[at], role) > 1 - 1e-12 for role in ("classifier", "feature"))

# %% [markdown]
# ## How it is known
#
# Cross-entropy of free features and a free classifier (without bias) is a convex program in the Gram matrix of both, as
# its logits are inner products. So it has a certificate as contrastive losses have: a lower bound for every classifier
# and every feature matrix in every dimension, proven in ball arithmetic.

# %%
from certify import certify
from certify.rounding import upward

for name, solutions in (("contrast", supcon), ("cross-entropy", entropy), ("layer-peeled", peeled)):
    proofs = [certify(solution) for solution in solutions]
    assert all(proof.verdict.name == "CERTIFIED" for proof in proofs)
    print(
        f"{name:14} {len(proofs)} optima certified, gap / scale at most {upward(max(p.relative_gap for p in proofs), 1)}"
    )

# %% [markdown]
# Gradient descent on both roles, from random starts, ends there too.

# %%
from relax.descent import descend

small = solve(Problem.step(2, 2, 12, 3, loss="cross-entropy", temperature=0.1))
ended = descend(small.problem, dim=4, starts=6)
print(f"{(ended.losses < small.value + 1e-9).sum()} of 6 starts end at the certified value")
assert ended.losses.min() > small.value - 1e-12 and abs(ended.losses.min() - small.value) < 1e-9

# %% [markdown]
# ## Which means are pulled together
#
# A long tail: ten classes of 5,000 to 50 samples. Each cell is the cosine of two classes, the largest first.

# %%
from relax.plots import heat_map

tail = {"temperature": 0.1, "k": 10, "n_max": 5000, "ratio": 100}
contrast, cross = (solve(Problem.long_tailed(loss=loss, **tail)) for loss in ("supcon", "cross-entropy"))
figure, panels = plt.subplots(1, 3, figsize=(13.2, 4.0), layout="constrained")
heat_map(contrast, ax=panels[0]).set_title("contrast: features")
heat_map(cross, roles=("classifier", "classifier"), ax=panels[1]).set_title("cross-entropy: classifiers")
heat_map(cross, ax=panels[2]).set_title("cross-entropy: features")
for axes in panels:
    axes.images[0].set_clim(-0.28, 0.28)  # one scale for all
plt.show()

# %% [markdown]
# Contrast and the classifiers of cross-entropy agree on the order: the smaller two classes are, the nearer they stand.
# The features of cross-entropy take no part in it.

# %%
for name, solution, role in (
    ("contrast: features", contrast, "feature"),
    ("cross-entropy: classifiers", cross, "classifier"),
    ("cross-entropy: features", cross, "feature"),
):
    assert certify(solution).verdict.name == "CERTIFIED"
    off = solution.block(role, role)[~np.eye(10, dtype=bool)]
    print(f"{name:27} cosines from {off.min():.3f} to {off.max():.3f}")
    gram = solution.block(role, role)
    rises = all(gram[c, c + 1] < gram[c + 1, c + 2] for c in range(8))
    assert rises == (name != "cross-entropy: features")
assert np.ptp(off) < 0.025  # the last one, of features

# %% [markdown]
# Why? A classifier vector is pushed by the samples of all other classes, of which large classes have most; the
# feature of a sample is pushed by ten classifiers, one for each class, however many samples it has. In contrast,
# features are pushed by features, and take both parts.
#
# ## Minority collapse in cross-entropy
#
# In the layer-peeled model (Fang et al., doi 10.1073/pnas.2103091118) the mean squares of classifiers and features are
# bounded, here by 1 and by E. The small classes are one point from the ratio R₀ at which, in the collapsed optimum, a
# sample of a large class has
#
# $$\frac1{R_0} = 1-p_{\text{own}}+p_{\text{other}},$$
#
# p the probabilities that the classifier gives to its own class and to another large one.

# %%
from scipy.optimize import brentq


def surplus(ratio, energy):
    """Return 1 − p_own + p_other − 1/R at an optimum."""
    logits = step(ratio, 1000, **(PEELED | {"norm": MeanSquare(energy)})).block("classifier", "feature")[:, 0]
    p = np.exp(logits - logits.max())
    p /= p.sum()
    return 1 - p[0] + p[1] - 1 / ratio


for energy, low, high in ((5.0, 12.18, 14), (10.0, 80.8, 90)):
    threshold = brentq(surplus, low, high, args=(energy,), xtol=1e-3)
    below, above = (
        step(threshold * f, 1000, **(PEELED | {"norm": MeanSquare(energy)})) for f in (0.995, 1.005)
    )
    print(f"E = {energy:g}: R₀ = {threshold:.2f}, cosine of small classes' features", end=" ")
    print(f"{cosine(below, 'feature'):.5f} just below, {cosine(above, 'feature'):.5f} just above")
    assert cosine(below, "feature") < 0.999 and cosine(above, "feature") > 1 - 1e-9
    assert certify(below).verdict.name == certify(above).verdict.name == "CERTIFIED"

# %% [markdown]
# Small classes also lose their length, and supervised contrast, on the sphere, has none to lose.

# %%
lengths = {role: np.sqrt(peeled[at].block(role, role).diagonal()) for role in ("classifier", "feature")}
for role, length in lengths.items():
    print(f"{role:11} large {length[0]:.3f}, small {length[-1]:.3f}")
    assert length[-1] < 0.2 * length[0]

# %% [markdown]
# ## Where it stops being true
#
# **A hot sphere.** At τ = 1 unit vectors are too short to separate ten classes; then the features of cross-entropy bend
# as well, and small classes end on one point. Those of contrast do not, at any of these ratios.

# %%
for ratio in (1, 10, 100):
    hot, warm = step(ratio, loss="cross-entropy", temperature=1.0), step(ratio, temperature=1.0)
    said = [cosine(hot, "classifier"), cosine(hot, "feature"), cosine(warm, "feature")]
    print(f"R = {ratio:3}: classifiers {said[0]:.3f}, features {said[1]:.3f}; contrast {said[2]:.3f}")
assert said[1] > 1 - 1e-6 and said[2] < 0.3

# %% [markdown]
# **Weight decay.** With a price on squared lengths in place of a bound, small classes do not only coincide: beyond a
# ratio their vectors vanish, and beyond another all do, since the loss is a mean over ever more samples and the price
# of a vector is not. They coincide when √n/N ≤ √(λ_W λ_H), n their size and N the number of samples (Hong & Ling, arXiv
# 2309.09725): here from R = 11.65 on.

# %%
decay = {"loss": "cross-entropy:classifier=ridge:0.005", "norm": Ridge(0.005)}
for ratio in (11.6, 11.7):
    gram = step(ratio, 10, **decay).block("feature", "feature")
    assert (gram[-1, -2] > (1 - 1e-6) * gram[-1, -1]) == (np.sqrt(10) / (50 * ratio + 50) <= 0.005)
for ratio in (10, 20, 50, 300):
    priced = step(ratio, **decay)
    length = np.sqrt(priced.block("feature", "feature").diagonal())
    print(f"R = {ratio:3}: large {length[0]:.4f}, small {length[-1]:.4f}", certify(priced).verdict.name)
    assert (length[-1] > 1e-3) == (ratio < 50) and (length[0] > 1e-3) == (ratio < 300)

# %% [markdown]
# **What is proven.** The least loss, in every case. That vectors coincide or vanish is read off the optimum that was
# found, to the digits shown; cross-entropy has no proven radius around it.
