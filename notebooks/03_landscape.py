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
# # When does gradient descent find the optimum?
#
# **Nearly always, and it depends on the dimension *and* on the temperature.** On the sphere there are bad local minima, even with
# more dimensions than classes, where the temperature is small. They are narrow, so that random starts seldom end there. With
# norms of at most one in place of one, none was found.

# %%
import numpy as np
from matplotlib import pyplot as plt

from certify.landscape import explore
from certify.landscape.picture import draw_circle, draw_levels
from relax import Ball, Problem
from relax.descent import descend_from

plane = explore(Problem([2, 2], temperature=0.1), dims=[1, 2, 3], starts=16)
good, bad = plane.at(2).minima
figure, (levels, left, right) = plt.subplots(
    1, 3, figsize=(9.6, 3.6), layout="constrained", width_ratios=[1.3, 1, 1]
)
draw_levels(plane, levels)
for axes, point, title in ((left, good, "the optimum"), (right, bad, "a bad minimum")):
    draw_circle(point, axes)
    axes.set_title(title)

# %% [markdown]
# Two classes of two samples at τ = 0.1. On the left the minima that a search found, by dimension: 0 is the certified optimum,
# 1 the loss of features that are all equal. In two dimensions there is a bad one. Its classes are *shattered*: the
# samples of each stand at opposite ends of an axis of their own.

# %%
print("\n".join(plane.in_words()))
assert plane.at(2).bad == (bad,) and bad.curvature > 14.9
assert not plane.at(3).bad

# %% [markdown]
# ## More dimensions than classes do not help by themselves
#
# Two classes of four, in four dimensions: a bad minimum at τ = 0.1. At τ = 0.5 none is found.

# %%
for temperature in (0.1, 0.5):
    found = explore(Problem([4, 4], temperature=temperature), 4, starts=16).at(4)
    print(f"τ = {temperature}, {found.in_words()}")
    assert bool(found.bad) == (temperature == 0.1)

# %% [markdown]
# ## What tells it apart: multipliers
#
# At the optimum no feature would gain by being shorter. At the bad minimum every one would: its *multipliers* are negative, and the
# sphere alone holds it there.

# %%
print("optimum", good.multipliers, "bad minimum", bad.multipliers.round(3))
assert good.lowest_multiplier > 0 > bad.multipliers.max()

# %% [markdown]
# ## The way out: the ball
#
# In code: z / max(1, |z|) in place of z / |z|. The optimum is the same. From just beside the bad minimum (on it, by symmetry, all
# features would shrink to zero, a saddle) descent now gets there.

# %%
random = np.random.default_rng(0)
beside = bad.features + 0.03 * random.normal(size=(64, 4, 2))
limit = 0.01 * plane.optimum.range
on_sphere = descend_from(Problem([2, 2], temperature=0.1), beside)
on_ball = descend_from(Problem([2, 2], temperature=0.1, norm=Ball()), beside)
for name, end in (("sphere", on_sphere), ("ball", on_ball)):
    print(f"{name}: {np.mean(end.excesses < limit):.0%} of the starts end at the optimum")
assert (on_sphere.excesses > limit).all() and (on_ball.excesses < limit).all()

# %% [markdown]
# ## Does it help to start warm and cool down?
#
# Descend at a large temperature first, and go on from there at smaller ones; from the same starts, on the sphere.

# %%
features = beside
for temperature in (1.0, 0.5, 0.25, 0.1):
    annealed = descend_from(Problem([2, 2], temperature=temperature), features)
    features = annealed.features
print(f"warm, then cooled: {np.mean(annealed.excesses < limit):.0%} of the starts end at the optimum")
assert (annealed.excesses < limit).all()

# %% [markdown]
# It does, here: at τ = 0.5 this minimum is none, and a warm descent leaves it before it exists.
#
# ## Where this stops being true
#
# A search proves nothing about minima that it did not find. What it says of a dimension holds for the starts that were tried. In
# fewer than k − 1 dimensions there are bad minima where it is warm, and on the ball as well; two dimensions for four classes:

# %%
few = explore(Problem([6, 6, 2, 2], temperature=1.0, norm=Ball()), 2, starts=32).at(2)
print(few.in_words())
assert few.bad
