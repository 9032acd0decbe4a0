"""The kernel distance between two sets of features (Binkowski et al., 2018).

    MMD^2 with k(x, y) = (x.y / width + 1)^3, unbiased, averaged over random subsets

On the features of InceptionV3 it is the KID. Unlike the Fréchet distance it does not depend on the sample count.
"""

from __future__ import annotations

import warnings

import torch
from jaxtyping import Float
from torch import Tensor

from ebgan.metrics.features import ComputedFeatures, check_features


def kernel_distance(
    real: Float[Tensor, "reals width"],
    fake: Float[Tensor, "fakes width"],
    *,
    subset: int = 1000,
    subsets: int = 100,
    seed: int = 0,
) -> float:
    """The distance, in float64, over `subsets` draws of `subset` rows (fewer where a set is smaller).

    About 0, at times below, for sets from one distribution. The same seed draws the same rows.
    """
    from torchmetrics.image.kid import KernelInceptionDistance  # takes two seconds, so only where it is used

    check_features(real, fake)
    size = min(subset, len(real), len(fake))
    with warnings.catch_warnings():  # that it keeps the features in memory, where they are already
        warnings.filterwarnings("ignore", message="Metric `Kernel Inception Distance`")
        metric = KernelInceptionDistance(
            ComputedFeatures(real.shape[-1]), subsets=subsets, subset_size=size, sync_on_compute=False
        )
    metric.update(real.double(), real=True)
    metric.update(fake.double(), real=False)
    with torch.random.fork_rng(devices=[]):  # it draws from torch's own generator of the CPU, which is not ours to move
        torch.default_generator.manual_seed(seed)
        mean, _ = metric.compute()
    return float(mean)
