"""Where an image differs from what is normal: its reconstruction's error by pixel, smoothed.

    error    the root of the mean over channels of the squared residual, smoothed before the root
    peak     the highest error of an image

The smoothing is Gaussian, of a standard deviation of a 64th of the image's height: single pixels do not count, and 4
pixels are common for images of 256. A pixel is marked if its error is above the peaks of all but a share of normal
images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ebgan.runs.run import Run

PART = 64  # of the height is the smoothing's standard deviation


def error_maps(run: Run, images: Tensor) -> NDArray[np.float64]:
    """The errors [n, H, W] of images [n, C, H, W] in [-1, 1]. Raises UsageError for a run that reconstructs nothing."""
    from scipy.ndimage import gaussian_filter

    squares = (run.reconstruct(images) - images).double().square().mean(1).numpy()
    spread = squares.shape[-2] / PART
    smoothed: NDArray[np.float64] = gaussian_filter(squares, (0, spread, spread))
    errors: NDArray[np.float64] = np.sqrt(smoothed.clip(0))
    return errors


def peaks(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest error [n] of each map."""
    highest: NDArray[np.float64] = maps.max((1, 2))
    return highest


def marked(images: Tensor, above: NDArray[np.bool_]) -> Tensor:
    """Images [n, 3, H, W] in [-1, 1] whose pixels `above` [n, H, W] are red."""
    import torch

    colour = images.expand(-1, 3, -1, -1).clone()
    red = torch.tensor([1.0, -1.0, -1.0])[:, None, None]
    mixed = (colour + 2 * red) / 3
    return torch.where(torch.from_numpy(above)[:, None], mixed, colour)
