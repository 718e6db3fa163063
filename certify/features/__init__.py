"""Given features: their exact loss, and a verdict on them."""

from certify.features.exact_loss import loss_of_features
from certify.features.verdict import PointVerdict, certify_point

__all__ = ["PointVerdict", "certify_point", "loss_of_features"]
