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
# # Why do small classes merge early when denominators hold negatives only?
#
# **Because then a class pushes in proportion to its size.** Positives in the denominator make each anchor push less the
# more siblings it has, which evens classes out; without them a large class pushes R times as hard as a small one, and
# two small classes end on one point at ratios of 10 or 20, where supervised contrast needs hundreds to millions.

# %%
import numpy as np
from matplotlib import pyplot as plt

from certify.thresholds import collapse_threshold
from relax import Problem, solve
from relax.plots.canvas import log_ticks
from relax.plots.themes import series

LOSSES = {"supervised contrast": "supcon", "negatives only": "negatives-only"}
ratios = np.geomspace(1, 1000, 25)
temperatures = [0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0]
figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8), layout="constrained")
thresholds = {}
for place, (name, loss) in enumerate(LOSSES.items()):
    cosine = [
        solve(Problem.step(2, 2, round(10 * r), 10, loss=loss, temperature=0.2, views=2)).gram[2, 3]
        for r in ratios
    ]
    left.plot(ratios, cosine, **series(place), ms=4, label=name)
    thresholds[name] = [collapse_threshold(2, 2, 10, temperature=t, loss=loss, views=2) for t in temperatures]
    right.plot(temperatures, [one.ratio for one in thresholds[name]], **series(place), ms=4, label=name)
left.set(
    xscale="log",
    xlabel="ratio R of class sizes, large to small",
    title="How near small classes stand, τ = 0.2",
)
left.set_ylabel("cosine of the two small classes")
right.set(xscale="log", yscale="log", xlabel="temperature τ", title="From which ratio on they are one point")
right.set_ylabel("threshold ratio R")
log_ticks(left, "x", 1, 1000)
log_ticks(right, "x", 0.05, 2)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
plt.show()

# %% [markdown]
# Two classes of 10 R samples and two of 10, two views of each. The thresholds on the right, as far apart as they are:

# %%
for name, found in thresholds.items():
    said = {t: f"{one.ratio:.6g}" for t, one in zip(temperatures, found, strict=True) if t in (0.1, 0.2, 1.0)}
    print(f"{name:20}", ", ".join(f"R = {ratio} at τ = {t}" for t, ratio in said.items()))
early = [one.ratio for one in thresholds["negatives only"]]
late = [one.ratio for one in thresholds["supervised contrast"]]
assert min(early) > 5 and max(early) < 25
assert late[2] > 1e6 and late[4] > 4000 and min(late) > 100

# %% [markdown]
# ## How it is known
#
# Classes that coincide act as one class of their summed size. The merged program has fewer vectors, and its dual slack
# decides whether the merged optimum is one of the original program too: it is, if and only if what holds the point
# together outweighs what its members gain by parting,
#
# $$\kappa=\frac{\nu}{g^2}-\frac{\omega\,n}{\tau N Z}\ge 0,$$
#
# for g classes of n samples and weight ω, ν the multiplier of the point's norm, Z the argument of its logarithm, N the
# normaliser. `collapse_threshold` proves the sign of this in ball arithmetic over whole intervals of R: apart at every
# ratio below the bracket, together at every ratio above.

# %%
for found in thresholds.values():
    assert all(one.smallest and one.final for one in found)
    assert all((one.upper - one.lower) / one.lower <= 1e-6 for one in found)
thresholds["negatives only"][temperatures.index(0.2)]

# %% [markdown]
# At single counts `coinciding` proves it by interval Newton: the small classes of [100, 10, 10] are one point for
# negatives only, and are far from it under supervised contrast.

# %%
from certify.rounding import downward, upward
from certify.thresholds import coinciding

for name, loss in LOSSES.items():
    for temperature in (1.0, 0.2):
        found = coinciding(Problem([100, 10, 10], loss, temperature=temperature, views=2))
        low, high = np.degrees([found.nearest[-1, -1], found.farthest[-1, -1]])
        print(f"{name}, τ = {temperature}: ", "one point" if found.together[-1, -1] else f"{low:.2f}° apart")
        assert found.together[-1, -1] == (loss == "negatives-only") and found.decided

# %% [markdown]
# ## Why
#
# Start at the simplex, and ask how hard each class pushes others away: the weight of its anchors times their softmax
# mass on negatives. The mass of a class of n under supervised contrast is about 1/n of what negatives weigh, so that
# weight times mass forgets n; with negatives only the mass is one.

# %%
counts = [1000, 1000, 10, 10]


def push(counts, temperature, positives):
    """Return how hard classes push at the simplex, the smallest as one; `positives` stand in the denominator."""
    n = np.array(counts, float)
    negatives = (n.sum() - n) * np.exp(-len(n) / (len(n) - 1) / temperature)
    mass = negatives / ((n - 1 if positives else 0) + negatives)
    return (n * mass / (n * mass)[-1]).round(3)


print("supervised contrast", push(counts, 0.2, True))
print("negatives only     ", push(counts, 0.2, False))
assert push(counts, 0.2, True)[0] < 1 and push(counts, 0.2, False)[0] == 100

# %% [markdown]
# Under supervised contrast a class of 1,000 pushes even less than one of 10, whose siblings fill less of the
# denominator. With negatives only it pushes 100 times as hard. The large classes then take opposite ends, and what is
# left for the small ones, pushed from both, is the middle: one point.

# %%
from relax.plots import vectors

figure, panels = plt.subplots(1, 2, figsize=(9.6, 3.9), layout="constrained")
for axes, (name, loss) in zip(panels, LOSSES.items(), strict=True):
    vectors(solve(Problem([300, 300, 10, 10], loss, temperature=0.2, views=2)), ax=axes).set_title(name)
panels[0].get_legend().remove()
plt.show()

# %% [markdown]
# ## Where it stops being true
#
# **A trace of positives.** Put positives into the denominator with weight w. A hundredth is enough to move the threshold
# from 23 to far above that of supervised contrast, w = 1: the weight of an anchor is small again as soon as its
# negatives are far. So it is their absence that merges, not their small number.

# %%
for weight in (0, 1e-6, 1e-4, 0.01, 0.1, 1):
    found = collapse_threshold(2, 2, 10, temperature=0.2, loss=f"supcon:positives_weight={weight}", views=2)
    print(f"w = {weight:<6}: threshold R = {found.ratio:.6g}")
    assert (found.ratio < 50) == (weight <= 1e-4) and (found.ratio > late[4]) == (weight == 0.01)

# %% [markdown]
# **More classes.** With five large classes and five small ones there is no threshold at all, for either loss: the small
# ones keep apart at every ratio, which is proven. Negatives-only still draws them together sooner, but not so far: as
# R grows, supervised contrast overtakes.

# %%
many = {
    name: collapse_threshold(5, 5, 10, temperature=0.1, loss=loss, views=2) for name, loss in LOSSES.items()
}
for name, loss in LOSSES.items():
    cosine = {
        ratio: solve(Problem.step(5, 5, 10 * ratio, 10, loss=loss, temperature=0.1, views=2)).gram[-1, -2]
        for ratio in (10, 100, 1000, 10_000)
    }
    said = ", ".join(f"{value:.3f} at R = {ratio:,}" for ratio, value in cosine.items())
    print(f"{name:20} {said}, {many[name].limit:.3f} as R → ∞")
    assert many[name].ratio is None and many[name].smallest
assert many["negatives only"].limit < 0.4 < 0.9 < many["supervised contrast"].limit

# %% [markdown]
# **Small classes of different sizes.** Under supervised contrast classes of any sizes can coincide. With negatives only
# the condition is stronger: in a point where a and b coincide, the slopes of the loss in M_aQ and M_bQ must have one
# ratio for all other points Q. Equal sizes give it for free, and so do other classes that are all alike; otherwise small
# classes come near, here to about 10⁻⁴ rad, and stay apart.

# %%
for counts in ([400, 200, 10, 10], [400, 200, 10, 9], [300, 300, 10, 9]):
    found = coinciding(Problem(counts, "negatives-only", temperature=0.2, views=2))
    size = found.problem.counts.sizes.index
    pair = size(counts[2]), size(counts[3])
    low, high = found.nearest[pair], found.farthest[pair]
    said = (
        f"{downward(low, 3)} to {upward(high, 3)} rad apart"
        if low
        else f"at most {upward(high, 3)} rad apart"
    )
    said = "one point" if found.together[pair] else said
    print(counts, said)
    assert found.together[pair] == (counts == [400, 200, 10, 10]) and high < 1e-4
    assert (low > 5e-5) == (counts == [400, 200, 10, 9])
assert high < 1e-12

# %% [markdown]
# (The last two are one point as far as is proven: no farther apart than 10⁻¹² rad.)
