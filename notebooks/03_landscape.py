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
# # When is gradient descent safe?
#
# The supervised-contrastive loss over free features is not convex, and yet descent nearly always ends at its optimum. Nearly:
# it depends on the dimension *and* on the temperature. Here are the exceptions, what they look like, and what a training run
# can do about them. A minute.

# %%
import numpy as np

from certify.landscape import explore
from relax import Ball, Problem

small = Problem([4, 4], temperature=0.1)
found = explore(small, dims=[1, 2, 4], starts=16)
print("\n".join(found.in_words()))

# %% [markdown]
# Two classes, four dimensions, and a bad minimum at more than four times the range above the optimum. Its two classes are
# *shattered*: their samples stand alone, at the ends of orthogonal axes. Random starts hardly ever fall into it, since
# its basin is narrow; the search found it because it began there. At a larger temperature it is gone:

# %%
for temperature in (0.1, 0.5):
    print(temperature, explore(Problem([4, 4], temperature=temperature), 4, starts=16).at(4).in_words())

# %% [markdown]
# ## What a bad minimum looks like
#
# In the plane two classes of two are enough. The picture has the levels on the left, then the geometries. The bad one has negative
# *multipliers*: every feature would gain by being shorter, which the sphere does not allow.

# %%
from certify.landscape.picture import landscape_figure

plane = explore(Problem([2, 2], temperature=0.1), dims=[2, 3], starts=16)
(bad,) = plane.at(2).bad
print("multipliers", bad.multipliers.round(3), "smallest curvature", round(bad.curvature, 3))
landscape_figure(plane)

# %% [markdown]
# ## The way out: the ball
#
# Let norms be at most one instead of one: z / max(1, |z|) in place of z / |z|. The optimum is the same, and from just beside
# the same bad point (on it, by symmetry, all features would shrink to zero, a saddle) descent now gets to it.

# %%
from relax.descent import descend_from

random = np.random.default_rng(0)
beside = bad.features[None] + 0.01 * random.normal(size=(1, 4, 2))
for norm in (None, Ball()):
    problem = Problem([2, 2], temperature=0.1, norm=norm)
    end = descend_from(problem, beside)
    print("sphere" if norm is None else "ball  ", f"excess {end.excesses[0]:.3g}")

# %% [markdown]
# ## Does it help to start warm and cool down?
#
# Descend at a large temperature first, and go on from there at smaller ones. Starts near the bad minimum, on the sphere:

# %%
starts = bad.features + 0.03 * random.normal(size=(64, 4, 2))
cold = descend_from(Problem([2, 2], temperature=0.1), starts)
features = starts
for temperature in (1.0, 0.5, 0.25, 0.1):
    annealed = descend_from(Problem([2, 2], temperature=temperature), features)
    features = annealed.features
limit = 0.1 * found.optimum.range
for name, end in (("cold from the beginning", cold), ("warm, then cooled", annealed)):
    print(f"{name}: {np.mean(end.excesses < limit):.0%} of the starts end at the optimum")

# %% [markdown]
# It does help, here: above τ ≈ 0.25 this minimum is none, and a warm descent leaves it before it exists. So: train with features of
# enough dimensions (d ≥ k − 1), warm or with norms at most one; and look at the multipliers of what you get. None of it is a
# theorem about minima that nobody has found.
