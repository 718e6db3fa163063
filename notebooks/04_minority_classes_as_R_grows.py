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
# # What happens to minority classes as the imbalance grows?
#
# **They draw together, and where there are one or two large classes they become one point at a finite ratio, at every
# temperature.** With three large classes or more they do so at low temperatures only; above, they stop at a limit and never
# meet. The ratio at which they meet is known to six digits, proven: 132.3 for two large classes and two of ten samples
# at τ = 0.5.

# %%
import numpy as np
from matplotlib import pyplot as plt

from certify.sweeps import step_grid, sweep
from certify.thresholds import collapse_threshold, phase_diagram
from relax import Problem, solve
from relax.plots import against_ratio
from relax.plots import phase_diagram as draw_phase_diagram

LINES = (0.1, 0.5, 2.0)
table = sweep(step_grid(2, 2, 10, np.geomspace(1, 10_000, 33), temperatures=LINES), quiet=True)
thresholds = {t: collapse_threshold(2, 2, 10, temperature=t) for t in LINES}
diagram = phase_diagram("temperature", np.geomspace(0.1, 2, 12), np.geomspace(1, 10_000, 25))

figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.6), layout="constrained")
marked = {t: one for t, one in thresholds.items() if one.ratio < 10_000}
against_ratio(table, marked, ("beta",), ax=left)
left.set(title="Two large classes, two of ten", ylabel="cosine of the two small classes")
named = left.get_legend()
said = [text.get_text() for text in named.get_texts()][: len(LINES)]
left.legend(named.legend_handles[: len(LINES)], said, loc="lower right", frameon=False)
draw_phase_diagram(diagram, ax=right)
plt.show()

# %% [markdown]
# Left, the cosine of the two small classes against the ratio R of class sizes; vertical lines are where they become one
# point. Right, the same as a colour, over R and the temperature: beyond the line, hatched, they coincide.

# %%
assert (table.verdict == "CERTIFIED").all()
for temperature, found in thresholds.items():
    print(f"τ = {temperature}: {found.in_brief()}")
assert round(thresholds[0.5].ratio, 1) == 132.3 and thresholds[0.1].ratio > 7e6

# %% [markdown]
# What one sees on the sphere:

# %%
from relax.plots import vectors

figure, panels = plt.subplots(1, 3, figsize=(11.4, 3.6), layout="constrained")
for axes, ratio in zip(panels, (1, 30, 200), strict=True):
    vectors(solve(Problem.step(2, 2, 10 * ratio, 10, temperature=0.5)), ax=axes).set_title(
        f"R = {ratio}, τ = 0.5"
    )
for axes in panels[:2]:
    if axes.get_legend():
        axes.get_legend().remove()
plt.show()

# %% [markdown]
# ## How it is known
#
# Merge the small classes to one point and solve the smaller program. Its optimum is that of the original one if and only
# if holding them together costs less than it gains, which is one inequality (κ ≥ 0; Behnia & Thrampoulidis, arXiv
# 2402.18884, have the program, and `certify.thresholds` the proof): with t = −cos(large, small) there,
#
# $$t\,k_M R\,e^{-(t+1)/\tau}\,(1+Z_m/Z_M)\ \ge\ 2k_m,$$
#
# k_M and k_m the numbers of large and small classes, Z the arguments of the logarithms. It is proven in ball arithmetic over
# whole intervals of R, so that there is no smaller threshold, and no ratio beyond at which they part again.

# %%
for found in thresholds.values():
    assert found.smallest and found.final and (found.upper - found.lower) / found.lower <= 1e-6
thresholds[0.5]

# %% [markdown]
# On both sides of the bracket the optimum itself, by interval Newton, and with a certificate.

# %%
from certify import certify
from certify.thresholds import coinciding

for majority in (1323, 1324):
    problem = Problem([majority, majority, 10, 10], temperature=0.5)
    found, proof = coinciding(problem), certify(solve(problem))
    print(majority, "together" if found.together[-1, -1] else "apart", proof.verdict.name)
    assert (
        found.decided and found.together[-1, -1] == (majority == 1324) and proof.verdict.name == "CERTIFIED"
    )

# %% [markdown]
# ## Why one or two large classes
#
# Let R grow without end. The large classes take their own simplex, orthogonal to the small ones, and the cosine of two
# small classes tends to
#
# $$\beta_\infty=\min\Bigl(1,\ \tau\log\frac{(k_M-1)\,[1+k_M x\,(1-q)]^2}{4k_M\,q}\Bigr),\qquad
# x=e^{-1/\tau},\quad q=\frac{(k_M-1)\,y}{1+(k_M-1)\,y},\quad y=x^{k_M/(k_M-1)}.$$
#
# They meet at a finite ratio if the second number is above one. With two large classes that says (1+x)⁴ > 8x(1+x²), and
# the difference of the two sides is (1−x)⁴: true at every temperature. (One large class has nothing to be orthogonal to.
# There the small ones are pushed from one side only.) This limit is derived, not proven here; the proven thresholds
# below agree with it.

# %%
from scipy.optimize import brentq


def unclipped(k_major, temperature):
    """Return the second number."""
    x = np.exp(-1 / temperature)
    y = x ** (k_major / (k_major - 1))
    q = (k_major - 1) * y / (1 + (k_major - 1) * y)
    return temperature * np.log((k_major - 1) * (1 + k_major * x * (1 - q)) ** 2 / (4 * k_major * q))


assert all(unclipped(2, t) > 1 for t in np.geomspace(0.05, 2, 50))
for majorities in (1, 2):
    for temperature in (0.1, 1.0, 5.0):
        found = collapse_threshold(majorities, 4, 10, temperature=temperature)
        print(f"{majorities} large, τ = {temperature}: one point from R = {found.ratio:.7g}")
        assert found.smallest and found.final

# %% [markdown]
# With three or more, the temperature decides. The formula gives the temperature below which small classes meet, and the
# proven thresholds agree on either side of it.

# %%
for majorities in (3, 4, 5, 10):
    critical = brentq(lambda t, k=majorities: unclipped(k, t) - 1, 0.02, 1)
    cold, warm = (
        collapse_threshold(majorities, 2, 10, temperature=round(f * critical, 4)) for f in (0.9, 1.1)
    )
    print(
        f"{majorities:2} large: below τ = {critical:.4f}. One point from R = {cold.ratio:.3g} at {cold.temperature}",
        end="; ",
    )
    print(f"cosine {warm.limit:.4f} as R → ∞ at {warm.temperature}")
    assert cold.smallest and cold.final and warm.ratio is None and warm.smallest
    assert abs(warm.limit - unclipped(majorities, warm.temperature)) < 1e-4

# %% [markdown]
# ## Where it stops being true
#
# **Below the threshold they are apart, but not far.** Half of the way there, the two small classes are 32° from each other,
# of the 109° of the simplex.

# %%
for share in (0.1, 0.5, 0.9, 1.0):
    gram = solve(Problem.step(2, 2, int(1323 * share), 10, temperature=0.5)).gram
    angle = np.degrees(np.arccos(gram[2, 3]))
    print(f"R = {int(1323 * share) / 10}: {angle:.1f}°")
    assert share != 0.5 or round(angle) == 32

# %% [markdown]
# **Small numbers of samples hardly matter, the number of classes does.** The ratio counts: thresholds for minorities of
# 2 and of 1,000 samples are within two per cent. More small classes need a larger ratio, in proportion.

# %%
by_size = [collapse_threshold(2, 2, n, temperature=0.5).ratio for n in (2, 10, 1000)]
by_number = [collapse_threshold(2, k, 10, temperature=0.5).ratio / k for k in (2, 10, 50)]
print([f"{ratio:.2f}" for ratio in by_size], [f"{ratio:.3f} per class" for ratio in by_number])
assert max(by_size) / min(by_size) < 1.02 and max(by_number) / min(by_number) < 1.01

# %% [markdown]
# **Long tails.** Where all sizes differ, there is no one ratio. `coinciding` says which classes share a point, for any
# counts.

# %%
for counts in ([2000, 40, 20, 10], [2000, 200, 20, 10]):
    found = coinciding(Problem(counts, temperature=1.0))
    print(counts, "on one point:", found.points() or "none")
    assert found.decided and bool(found.points()) == (counts[1] == 40)

# %% [markdown]
# **Other losses.** Denominators without positives merge small classes far earlier (notebook 10), and non-negative features
# never (notebook 05).
