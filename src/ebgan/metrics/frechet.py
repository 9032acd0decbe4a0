"""The Fréchet distance between two sets of features, taken as Gaussians (Heusel et al., 2017).

    |mu - mu'|^2 + tr(S + S' - 2 (S S')^(1/2))

On the features of InceptionV3 it is the FID; on others it compares only with itself and needs a name of its own.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from ebgan.metrics.features import ComputedFeatures, check_features


def frechet_distance(real: Float[Tensor, "reals width"], fake: Float[Tensor, "fakes width"]) -> float:
    """The distance, in float64; 0 for equal means and covariances, larger for fewer samples. Needs 2 of each."""
    from torchmetrics.image.fid import FrechetInceptionDistance  # takes two seconds, so only where it is used

    check_features(real, fake)
    net = ComputedFeatures(real.shape[-1])
    metric = FrechetInceptionDistance(feature=net, sync_on_compute=False).to(real.device)
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    return max(0.0, float(metric.compute()))  # rounding takes it below 0 for equal sets
