"""The nonconvex path: gradient descent on free features, many starts at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from relax.endpoints import Descent, Match, match
from relax.errors import InputError
from relax.problem import Ball, Norm, Problem, Ridge, Sphere

__all__ = ["Descent", "Match", "descend", "match"]

MOST_SAMPLES = 600  # level "auto" gives every sample its own feature up to here
MOST_ENTRIES = 2**26  # Gram entries of one start; autograd holds some ten arrays of this size
GROUP_ENTRIES = 2**21  # Gram entries of the starts that share a search; larger arrays miss the cache
START = 0.5  # root mean square norm of the random starts; only a ridge sees it
INWARD = 0.9  # a ball's descent starts this far out, on the rays where the sphere's descent ended
MEMORY = 50  # curvature pairs of L-BFGS
ROUND = 300  # iterations between restarts of L-BFGS
SCALE = 1e8  # torch's L-BFGS drops curvature pairs with yᵀs ≤ 1e-10, whatever the objective's scale
LEAST_GAIN = 1e-12  # a round that lowers log(excess) by less than this per start is the last
STATIONARY = 1e-6  # distance to go, in features, that counts as converged
LEAST_EXCESS = 1e-290  # below, log(excess) leaves float64


@dataclass(frozen=True, eq=False)
class _Terms:
    """The constants of the loss. A node is a sample, or a class standing for its samples."""

    labels: Int64[np.ndarray, " nodes"]
    infimum: float
    temperature: float
    norm: Norm
    copies: Float64[torch.Tensor, " nodes"]  # the samples that a node stands for
    anchors: Int64[torch.Tensor, " anchors"]  # nodes of classes with a positive
    weights: Float64[torch.Tensor, " anchors"]  # copies / N₊
    others: Float64[torch.Tensor, "anchors nodes"]  # (copies_l − [l = i]) / (n_{y_i} − 1)
    positives: Bool[torch.Tensor, "anchors nodes"]

    @property
    def flat(self) -> float:
        """The gradient of log(excess), which curves like 1/τ², that is left at distance STATIONARY."""
        return STATIONARY / self.temperature**2


def descend(
    problem: Problem,
    dim: int,
    starts: int = 16,
    seed: int = 0,
    level: str = "auto",
    device: str = "cpu",
    max_iterations: int = 6000,
) -> Descent:
    """Minimise the supervised-contrastive loss over free features by L-BFGS, from random starts at once.

    What is minimised is the sum over the starts of log(excess), excess = loss − infimum: the optima and the
    stationary points are those of the loss, and the scale of the excess, e^{−2/τ} and less, drops out.
    A sphere is parametrised as v/‖v‖ and a ball as 2v/(1+‖v‖²): smooth, and its fold ‖v‖ = 1 makes active
    constraints ordinary minima. A ball is searched from just inside where the sphere's descent ended.

    Nothing here is a proof: a start may end in a local minimum. At level "samples" rounding hides excesses
    below about 1e-15 (τ < 0.06 for two classes); level "classes" takes collapse for granted and has no limit.

    Parameters
    ----------
    problem : Problem
        With loss "supcon"; classes stand in the user's order, each `views` times its size.
    dim : int
        The dimension of the features. The optimum of the relaxation is within reach for dim ≥ k − 1.
    starts, seed : int
        How many random starts, and the seed they all come from.
    level : {"auto", "samples", "classes"}
        Whether each sample has its own feature, or each class; "auto" takes samples up to 600 of them.
    device : str
        A torch device that has float64.
    max_iterations : int
        L-BFGS iterations, over all restarts; for a ball, on the sphere and again in the ball.

    Returns
    -------
    Descent
        Features, losses and stationarity of every start.

    Raises
    ------
    InputError
        If the loss is not "supcon", features are to be non-negative, an integer is not positive, `level` is
        unknown, the device has no float64, or there are so many features that one Gram matrix is too large.

    References
    ----------
    Khosla et al., arXiv 2004.11362 (the loss L_out); Behnia and Thrampoulidis, arXiv 2402.18884 (landscape).
    """
    if problem.loss != "supcon" or problem.nonnegative:
        what = "non-negative features" if problem.nonnegative else f"the loss {problem.loss!r}"
        raise InputError(f"descent does not know {what}; give loss 'supcon' and nonnegative=False")
    for name, number in {"dim": dim, "starts": starts, "max_iterations": max_iterations}.items():
        if number < 1:
            raise InputError(f"{name} = {number} must be at least 1")
    _check_device(device)
    terms = _terms(problem, level, device)
    draw = torch.Generator().manual_seed(seed)  # on the CPU, so that every device starts alike
    directions = torch.randn((starts, len(terms.labels), dim), generator=draw, dtype=torch.float64)
    groups = (START / dim**0.5 * directions).split(max(1, GROUP_ENTRIES // len(terms.labels) ** 2))
    return _joined([_search(group.to(device), terms, max_iterations) for group in groups])


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (RuntimeError, TypeError, AssertionError) as error:  # torch raises all three
        raise InputError(f"device {device!r} holds no float64 tensors here; give device='cpu'") from error


def _terms(problem: Problem, level: str, device: str) -> _Terms:
    seen = problem.effective_counts
    if level not in ("auto", "samples", "classes"):
        raise InputError(f"level {level!r} must be 'auto', 'samples' or 'classes'")
    by_sample = level == "samples" or (level == "auto" and seen.samples <= MOST_SAMPLES)
    nodes = seen.samples if by_sample else seen.classes
    if nodes**2 > MOST_ENTRIES:
        mend = "take fewer classes" if nodes == seen.classes else "give level='classes'"
        raise InputError(f"the Gram matrix of {nodes} features is too large for descent; {mend}")
    sizes = np.array(seen.sizes, dtype=np.float64)[seen.group_of_class()]
    labels = np.repeat(np.arange(seen.classes), sizes.astype(np.int64) if by_sample else 1)
    copies = np.ones(nodes) if by_sample else sizes
    anchors = np.flatnonzero(sizes[labels] >= 2)
    own = sizes[labels[anchors]]
    weights = copies[anchors] / seen.anchors
    others = (copies - np.eye(nodes)[anchors]) / (own - 1)[:, None]
    arrays = (copies, anchors, weights, others, labels[anchors][:, None] == labels)
    infimum = float(weights @ np.log(own - 1))
    tensors = (torch.from_numpy(array).to(device) for array in arrays)
    return _Terms(labels, infimum, problem.temperature, problem.norm, *tensors)


def _features(
    parameters: Float64[torch.Tensor, "starts nodes dim"], norm: Norm
) -> Float64[torch.Tensor, "starts nodes dim"]:
    match norm:
        case Sphere():
            return torch.nn.functional.normalize(parameters, dim=-1)
        case Ball():
            return 2 * parameters / (1 + parameters.square().sum(dim=-1, keepdim=True))
        case Ridge():
            return parameters


def _reduced(
    parameters: Float64[torch.Tensor, "starts nodes dim"], norm: Norm
) -> Float64[torch.Tensor, "starts nodes dim"]:
    """Return parameters of the same features, of norm at most one: far out, the gradient fades."""
    if isinstance(norm, Ball):
        return parameters / parameters.square().sum(dim=-1, keepdim=True).clamp_min(1.0)
    return _features(parameters, norm)


def _excess(
    features: Float64[torch.Tensor, "starts nodes dim"], terms: _Terms
) -> Float64[torch.Tensor, " starts"]:
    """Return loss − infimum, one anchor's share of which is log1p(A + B) / N₊.

    With x_l = (G_il − mean of G_ij over positives j)/τ: A is the mean over positives of e^x − 1 − x, as their
    x sum to zero, and B = Σ_negatives e^x / (n_{y_i} − 1). Large x take the log-sum-exp form instead.
    """
    rows = (features @ features.mT)[:, terms.anchors]
    means = (rows * terms.others * terms.positives).sum(dim=-1, keepdim=True)
    exponents = (rows - means) / terms.temperature
    tame = exponents.clamp(max=1.0)  # keeps the branch that is not taken finite, and its gradient
    curved = torch.where(terms.positives, torch.expm1(tame) - tame, tame.exp())
    small = torch.log1p((terms.others * curved).sum(dim=-1))
    large = torch.logsumexp(exponents + terms.others.log(), dim=-1)
    largest = exponents.masked_fill(terms.others == 0, -torch.inf).amax(dim=-1)
    loss = (torch.where(largest < 1, small, large) * terms.weights).sum(dim=-1)
    if isinstance(terms.norm, Ridge):
        loss = loss + terms.norm.weight / 2 * (features.square().sum(dim=-1) * terms.copies).sum(dim=-1)
    return loss


def _minimise(
    parameters: Float64[torch.Tensor, "starts nodes dim"], terms: _Terms, max_iterations: int
) -> tuple[int, Float64[torch.Tensor, "starts nodes dim"]]:
    """Move the parameters down Σ log(excess) in place, until a round of L-BFGS gains nothing.

    Return the number of evaluations and the gradient at the last point.
    """
    parameters.requires_grad_()
    evaluations = iterations = 0

    def evaluate() -> torch.Tensor:
        nonlocal evaluations
        evaluations += 1
        parameters.grad = None
        excesses = _excess(_features(parameters, terms.norm), terms)
        total = SCALE * excesses.clamp_min(LEAST_EXCESS).log().sum()
        total.backward()
        return total

    before, after = np.inf, evaluate().item()
    while iterations < max_iterations and after < before - SCALE * LEAST_GAIN * len(parameters):
        optimizer = torch.optim.LBFGS(
            [parameters],
            max_iter=min(ROUND, max_iterations - iterations),
            max_eval=4 * ROUND,
            tolerance_grad=1e-3 * SCALE * terms.flat,
            tolerance_change=0.0,
            history_size=MEMORY,
            line_search_fn="strong_wolfe",
        )
        optimizer.step(evaluate)
        iterations += optimizer.state[parameters]["n_iter"]
        with torch.no_grad():
            parameters.copy_(_reduced(parameters, terms.norm))
        before, after = after, evaluate().item()
    assert parameters.grad is not None
    return evaluations, parameters.grad / SCALE


def _search(
    parameters: Float64[torch.Tensor, "starts nodes dim"], terms: _Terms, max_iterations: int
) -> Descent:
    evaluations = 0
    if isinstance(terms.norm, Ball):  # grown from inside, the classes follow a valley that ever narrows
        evaluations, _ = _minimise(parameters, replace(terms, norm=Sphere()), max_iterations)
        parameters = INWARD * parameters.detach()
    more, gradient = _minimise(parameters, terms, max_iterations)
    features = _features(parameters.detach(), terms.norm)
    excesses = _excess(features, terms).numpy(force=True)
    norms = gradient.flatten(1).norm(dim=1).numpy(force=True)
    return Descent(
        features=features.numpy(force=True),
        labels=terms.labels,
        losses=terms.infimum + excesses,
        excesses=excesses,
        gradient_norms=norms,
        converged=(norms <= terms.flat) & (excesses > LEAST_EXCESS),
        evaluations=evaluations + more,
    )


def _joined(parts: list[Descent]) -> Descent:
    names = ("features", "losses", "excesses", "gradient_norms", "converged")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return replace(parts[0], **columns, evaluations=sum(part.evaluations for part in parts))
