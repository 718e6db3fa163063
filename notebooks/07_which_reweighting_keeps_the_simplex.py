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
# # Which reweighting keeps the simplex under imbalance?
#
# **One that reweights the negatives; weights of anchors and of positives, and temperatures by class, never do.** Batches
# that draw classes with equal probability keep the simplex exactly, and so do class averages in the denominator with
# equal weight for every class. All others below bend, and it is proven that they must.

# %%
from fractions import Fraction

import numpy as np
from matplotlib import pyplot as plt

from relax import Problem, solve, solve_program
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Fixed

TAU = Fraction(1, 5)
NAMED = {
    "negatives only": "negatives-only",
    "one positive in the denominator": "ntxent-labels",
    "temperatures ∝ n^¼": "supcon-temperatures:exponent=0.25",
    "random batches of 16": "supcon:batch_size=16",
    "supervised contrast": "supcon",
    "classes weigh the same": "supcon:class_weights=classes",
    "class-balanced batches of 16": "supcon:batch_size=16,sampler=class-balanced",
}
AVERAGES = {"class averages, anchors by sample": 1, "class averages, anchors by class": 0}


def problem(counts, loss):
    """Return a problem at the temperature of this page."""
    return Problem(counts, loss, temperature=float(TAU), views=2 if loss == "negatives-only" else 1)


def rows_by_class(weight, positives, negatives, temperature=TAU):
    """Return the program of Σ_c ω_c log(b_c + Σ_c' m_c' exp((M_cc' − 1)/τ)) with unit norms."""
    k = len(weight)
    rows = LogSumExp(np.arange(k), weight, positives, np.ones(k), np.tile(negatives, (k, 1)))
    return GramProgram(np.ones(k), temperature, (rows,), Fraction(1), (Fixed(np.arange(k)),))


def averages(counts, power):
    """Return the program with class averages in the denominator and anchors weighted by n_c^power."""
    ones = np.ones(len(counts))
    return rows_by_class(np.array(counts, float) ** power, ones, ones)


def off_simplex(gram):
    """Return the largest distance of a cosine from that of the simplex, −1/(k−1)."""
    off = ~np.eye(len(gram), dtype=bool)
    return np.abs(gram[off] + 1 / (len(gram) - 1)).max()


def cosines(found):
    """Return the Gram matrix of an answer with one group a class."""
    gram = found.point.peer.copy()
    np.fill_diagonal(gram, 1.0)
    return gram


ratios = np.unique(np.geomspace(10, 3000, 18).round().astype(int)) / 10
curves = {
    name: [off_simplex(solve(problem([int(10 * r)] * 2 + [10] * 2, loss)).gram) for r in ratios]
    for name, loss in NAMED.items()
}
for name, power in AVERAGES.items():
    curves[name] = [
        off_simplex(cosines(solve_program(averages([10 * r] * 2 + [10] * 2, power)))) for r in ratios
    ]
assert (
    np.abs(np.subtract(curves["supervised contrast"], curves["class averages, anchors by sample"])).max()
    < 0.01
)
order = sorted(curves, key=lambda name: -curves[name][-8])
figure, axes = plt.subplots(figsize=(8.4, 3.7), layout="constrained")
marks = dict(zip(order, "osD^v<>P*", strict=True))
for place, name in enumerate(order):
    keeps = max(curves[name]) < 1e-6
    colour = "black" if keeps else plt.get_cmap("cividis")(place / len(order))
    style = {"marker": marks[name], "ms": 7 - 3 * (name == order[-1]), "lw": 2 if keeps else 1.3}
    axes.semilogx(ratios, curves[name], color=colour, label=name, markevery=2, **style)
axes.set(xlabel="ratio R of class sizes, large to small", ylabel="largest distance of a cosine from −1/3")
axes.set_title("How far from the simplex? Two large classes, two of 10, τ = 0.2")
axes.set_xticks([1, 10, 100], ["1", "10", "100"])
axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
axes.spines[["top", "right"]].set_visible(False)

# %% [markdown]
# The two black lines lie on zero. A distance of 4/3 means that the two small classes have become one point, or the
# two large ones.

# %%
keeping = [name for name in curves if max(curves[name]) < 1e-6]
assert keeping == ["class-balanced batches of 16", "class averages, anchors by class"]
assert all(min(curves[name][1:]) > 1e-3 for name in curves if name not in keeping)

# %% [markdown]
# ## How it is known
#
# Is the simplex optimal for a given loss? Judge it as an answer: `certify` proves a lower bound on every feature
# matrix in every dimension, and how far the simplex is above it. Here at R = 10, as parts of what geometry can change in
# the loss (`Certificate.scale`). The optimum that was found is as good as on that bound; where the simplex is far above
# it, it is no optimum (UNDECIDED is said of every gap above the tolerance, as the bound could be the weak side; here it
# is not).

# %%
from dataclasses import replace

from certify import certify
from certify.rounding import upward
from relax.orbits import OrbitMatrix


def at_simplex(answer):
    """Return the same answer with the simplex as its point."""
    own, g = answer.point.own, answer.program.multiplicity
    norm = np.sqrt(own[:, 0, 0])
    return replace(answer, point=OrbitMatrix(g, own, -np.outer(norm, norm) / (g.sum() - 1)))


counts = [100, 100, 10, 10]
answers = {name: solve(problem(counts, loss)).answer for name, loss in NAMED.items()}
answers |= {name: solve_program(averages(counts, power)) for name, power in AVERAGES.items()}
for name in order:
    found, simplex = certify(answers[name]), certify(at_simplex(answers[name]))
    print(
        f"{name:33} optimum {upward(found.relative_gap, 1):5}, simplex {upward(simplex.relative_gap, 1):7} {simplex.verdict.name}"
    )
    assert found.verdict.name == "CERTIFIED"
    assert (simplex.verdict.name == "CERTIFIED") == (name in keeping)
    assert name in keeping or simplex.relative_gap > 1e-3

# %% [markdown]
# ### Why those two keep it, exactly
#
# In both the loss treats all classes alike: their sizes do not occur in it. So the average of an optimal Gram matrix
# over all permutations of classes is optimal (the loss is convex), all its cosines are one number x, and the loss falls
# with x down to −1/(k−1), the least that k vectors allow.
#
# ### Why the others must bend
#
# **Theorem.** Let two sizes n ≠ n' occur twice each, and the rows be
#
# $$\omega_c \log\Bigl(b_c+\sum_{c'\neq c} n_{c'}\,e^{M_{cc'}/\sqrt{\tau_c\tau_{c'}}-1/\tau_c}\Bigr),$$
#
# with any weights ω > 0 of anchors, any weights b ≥ 0 of positives and any temperatures, chosen by class size. The
# simplex is not optimal.
#
# *Proof.* Suppose it were. The dual slack S = D + diag(ν), D the symmetrised gradient, is positive semidefinite and
# annihilates M, whose kernel is spanned by the vector of ones; so S is a multiple of 11ᵀ, and *all entries of D off the
# diagonal are one number* θ. With A_c = ω_c e^{−1/τ_c}/Z_c, Z_c the argument of the logarithm, and σ = 1/(k−1) these
# entries are
#
# - for two classes of size n: A n e^{−σ/τ}/τ = θ, for two of size n': A' n' e^{−σ/τ'}/τ' = θ,
# - for one of each, with g = √(ττ'): ½ (A n' + A' n) e^{−σ/g}/g = θ.
#
# Put the first two into the third: (n'/n) τ e^{σ/τ} + (n/n') τ' e^{σ/τ'} = 2 g e^{σ/g}. But the left side is at least
# twice its geometric mean, 2 g e^{σ(1/τ + 1/τ')/2}, which is at least the right side as (1/τ + 1/τ')/2 ≥ 1/g. Equality
# in both needs τ = τ' and n = n'. ∎
#
# The weights may even know the optimum, or change during training: where it comes to rest is not the simplex. The two
# sides of the last equation, for a million random choices:

# %%
rng = np.random.default_rng(0)
large, small = np.exp(rng.uniform(0, 4, 10**6)), np.exp(rng.uniform(-4, 4, (2, 10**6)))
hot, cold = small
sigma, g = 1 / 3, np.sqrt(hot * cold)
log_left = np.logaddexp(np.log(hot / large) + sigma / hot, np.log(large * cold) + sigma / cold)
assert (log_left > np.log(2 * g) + sigma / g).all()

# %% [markdown]
# The weight of positives does not help; no weight does. Neither does an exponent of temperatures:

# %%
for loss in [f"supcon:positives_weight={w}" for w in (0.01, 0.1, 1, 10, 100)] + [
    f"supcon-temperatures:exponent={e}" for e in (-1, -0.5, -0.1, 0.1, 0.5, 1)
]:
    distance = off_simplex(solve(problem(counts, loss)).gram)
    print(f"{loss:35} {distance:.4f}")
    assert distance > 0.05

# %% [markdown]
# ## Where it stops being true
#
# **Three classes.** The theorem needs two sizes that occur twice. For three classes the conditions can be solved: weights
# of anchors restore the simplex if, and only if, no class is larger than the other two together. They are
# ω_c ∝ Z_c n_c (1/(n_c n_a) + 1/(n_c n_b) − 1/(n_a n_b)), where a and b are the other two.

# %%
THREE = ([30, 20, 15], [34, 20, 15], [36, 20, 15])


def weights_of_three(counts, temperature):
    """Return the anchors' weights for which the simplex is optimal, or None."""
    n = np.array(counts, float)
    slope = n * np.array(
        [1 / (n[c] * n[c - 1]) + 1 / (n[c] * n[c - 2]) - 1 / (n[c - 1] * n[c - 2]) for c in range(3)]
    )
    z = n - 1 + (n.sum() - n) * np.exp(-1.5 / float(temperature))
    return slope * z if (slope > 0).all() else None


for counts in THREE:
    weight = weights_of_three(counts, TAU)
    if weight is None:
        print(counts, "no positive weights of anchors exist")
        continue
    n = np.array(counts, float)
    weighted = solve_program(rows_by_class(weight, n - 1, n))
    proof = certify(weighted)
    plain = off_simplex(solve(Problem(counts, temperature=float(TAU))).gram)
    print(
        counts,
        (weight / weight[0]).round(4),
        f"{off_simplex(cosines(weighted)):.1e} from the simplex",
        end="",
    )
    print(f", proven within {upward(proof.gram_radius, 2)}; unweighted {plain:.4f}")
    assert off_simplex(cosines(weighted)) < 1e-9 and float(proof.gram_radius) < 1e-4 and plain > 0.01
assert weight is None

# %% [markdown]
# **Four classes or more, one of them odd.** If all classes but one have the same size n, the conditions have a solution
# again, provided that the odd one has fewer than 2n samples. In all other cases of four classes or more there is none:
# for any four of them the conditions say that (1/n_a − 1/n_d)(1/n_b − 1/n_c) = 0 for every way to pair them, so that
# three of the four are equal. That is about weights; with temperatures by class the theorem above needs its two pairs.
#
# **Averages alone are not enough.** Class averages in the denominator (Zhu et al., arXiv 2207.09052) with every *anchor*
# weighing the same are off the simplex too, because large classes then pull harder. At this temperature they are hardly
# told from plain supervised contrast in the picture.
#
# **It is about the optimum.** That the simplex is the minimiser does not say that small classes generalise from few
# samples drawn again and again, nor that training reaches the minimiser soon.
