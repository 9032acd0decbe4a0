"""The energy as a scikit-learn outlier detector.

    detector = EnergyAnomalyDetector(contamination=0.05).fit(normal_rows)
    detector.predict(rows)          # [n]: 1 normal, -1 an anomaly
    detector.score_samples(rows)    # [n]: minus the energy, higher is more normal
    detector.p_values(rows)         # [n]: rank among the normal energies, low for anomalies

Like LocalOutlierFactor with novelty=True it is fitted on normal rows (a few anomalies among them do little harm), and
then applied to new rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from ebgan.data import open_data
from ebgan.data.given import ImageReader
from ebgan.detection import defaults
from ebgan.detection.defaults import Code, Name
from ebgan.detection.normals import Normals, check_contamination
from ebgan.detection.training import Trained, energies, train
from ebgan.distributed import usable_device
from ebgan.errors import UsageError, check_least, check_number
from ebgan.experiment import Experiment, Nets
from ebgan.objectives import Objective

Floats = NDArray[np.float64]
FARTHEST = 1e100  # standardised numbers are clipped to this: the square of more is infinite
_LIVE = "_nets"  # not pickled: rebuilt from the weights


class EnergyAnomalyDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Detects anomalous rows or images: those of high energy under a model trained on normal ones.

    Rows are numbers [n, features], which are standardised; a constant feature is only centred. Images are [n, C, H, W],
    uint8 or floats in [-1, 1], or a path that `ebgan.data.open_data` reads.

    Fitted attributes: `offset_` (the threshold on the score), `normals_` (`Normals`: the energies that it is taken
    from), `n_features_in_` (for tables), `scaler_` (None for images), `models_` (the trained energies). The energy of
    an ensemble is the mean over its models. With the default nets energies are L2 norms of reconstruction errors; for
    tables in units of the features' standard deviations.
    """

    def __init__(
        self,
        objective: Name | Objective[Any] = "ebgan",  # "autoencoder" trains the same net without a generator
        *,
        ensemble: int = 3,  # number of models, with different seeds
        noised: float = 0.5,  # share of the negatives that are noised data instead of samples
        noise: float = 0.5,  # standard deviation of that noise, in units of the data
        margin: float = 0.1,  # EBGAN's margin, from 0 (energy after pretraining) to 1 (energy of the mean row)
        code: Code | int = "wide",  # units of the code: twice the features (wide), a quarter (narrow), or a number
        nets: Nets | None = None,  # nets to use instead of the defaults
        steps: int = 1500,  # of the discriminator
        batch: int = 64,
        learning_rate: float = 1e-3,
        contamination: float = 0.1,  # share of the normal rows beyond the threshold, above 0 and at most 0.5
        held_out: float = 0.0,  # share of the rows that are not trained on; the threshold is then taken from them
        limits: tuple[float, float] = (-1.0, 1.0),  # the values of black and white in images of floats
        size: int | None = None,  # height and width to which images of a path are cropped and resized
        random_state: Any = 0,
        device: str = "cpu",
        progress: Callable[[int, float], None] | None = None,  # called ten times with steps done and mean energy
    ) -> None:
        self.objective = objective
        self.ensemble = ensemble
        self.noised = noised
        self.noise = noise
        self.margin = margin
        self.code = code
        self.nets = nets
        self.steps = steps
        self.batch = batch
        self.learning_rate = learning_rate
        self.contamination = contamination
        self.held_out = held_out
        self.limits = limits
        self.size = size
        self.random_state = random_state
        self.device = device
        self.progress = progress

    scaler_: StandardScaler | None

    def fit(self, X: ArrayLike | str | Path, y: object = None) -> Self:  # noqa: ARG002
        """Train on normal rows or images; `y` is ignored.

        Raises UsageError, a ValueError, for parameters or data that cannot be used; DivergedError if training diverged.
        """
        self._check()
        rows, limits = self._rows(X, first=True)
        randomness = check_random_state(self.random_state)
        seeds = [int(seed) for seed in randomness.randint(2**31 - 1, size=self.ensemble)]
        kept = _held_out(len(rows), self.held_out, randomness)
        experiments = [self._experiment(rows, limits, seed) for seed in seeds]
        stacks = [experiments] if self._stacked(experiments[0].nets) else [[each] for each in experiments]
        self.models_ = [self._train(stack, rows[~kept]) for stack in stacks]
        self._nets = [model.net() for model in self.models_]
        self.normals_ = Normals(self._energy(rows[kept] if kept.any() else rows), "fit", bool(kept.any()))
        self.offset_ = float(np.quantile(-self.normals_.energies, self.contamination))
        return self

    def score_samples(self, X: ArrayLike | str | Path) -> Floats:
        """Minus the energy [n] of each row: higher is more normal."""
        check_is_fitted(self, "models_")
        rows, _ = self._rows(X, first=False)
        return -self._energy(rows)

    def decision_function(self, X: ArrayLike | str | Path) -> Floats:
        """`score_samples` minus `offset_` [n]: below 0 for anomalies."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike | str | Path) -> NDArray[np.int64]:
        """1 for each row [n] that is normal, -1 for an anomaly."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def p_values(self, X: ArrayLike | str | Path) -> Floats:
        """The conformal p-value [n] of each row, in (0, 1]: low for anomalies (see `normals`).

        With `held_out` above 0, the p-value of a new normal row is at most p with probability p or less. With
        `held_out` 0 p-values are a little too low, because training lowers the energies that they are compared with.
        """
        check_is_fitted(self, "models_")
        return self.normals_.p_values(-self.score_samples(X))

    def _experiment(self, rows: Tensor, limits: tuple[float, float] | None, seed: int) -> Experiment:
        return defaults.experiment(
            (rows.shape[1], rows.shape[2], rows.shape[3]),
            limits,
            objective=self.objective,
            noised=self.noised,
            noise=self.noise,
            code=self.code,
            nets=self.nets,
            steps=self.steps,
            batch=self.batch,
            learning_rate=self.learning_rate,
            seed=seed,
        )

    def _train(self, stack: Sequence[Experiment], rows: Tensor) -> Trained:
        return train(stack, rows.float(), share=self.margin, device=self.device, told=self.progress)

    def _stacked(self, nets: Nets) -> bool:
        return self.ensemble > 1 and isinstance(nets.discriminator, defaults.STACKED)

    def _check(self) -> None:
        """Raise UsageError for the first parameter that is out of range."""
        check_contamination(self.contamination)
        for name in ("ensemble", "steps", "batch"):
            check_least("", 1, **{name: getattr(self, name)})
        if not isinstance(self.nets, Nets | None):
            raise UsageError(f"nets={self.nets!r}: expected an ebgan.experiment.Nets, or None")
        usable_device(self.device)
        if not isinstance(self.code, str):
            check_least("", 1, code=self.code)
        check_number("", "from 0 to below 1", held_out=self.held_out)
        check_number("", "from 0 to 1", noised=self.noised, margin=self.margin)
        check_number("", "above 0", noise=self.noise, learning_rate=self.learning_rate)

    def _rows(self, X: Any, first: bool) -> tuple[Tensor, tuple[float, float] | None]:
        """The data as float64 [n, C, H, W] and its limits: table rows become one-pixel images, without limits."""
        if isinstance(X, str | Path) or getattr(X, "ndim", None) == 4:
            return self._images(X, first), (-1.0, 1.0)
        if not first and self.scaler_ is None:
            raise UsageError(
                f"X is not a set of images; the detector was fitted on images {list(self.models_[0].shape)}"
            )
        table = validate_data(self, X, reset=first, dtype=np.float64, ensure_min_samples=2 if first else 1)
        if first:
            self.scaler_ = _scaler(table)
        assert self.scaler_ is not None
        standard = self.scaler_.transform(table).clip(-FARTHEST, FARTHEST)
        return torch.from_numpy(standard)[..., None, None], None

    def _images(self, X: Any, first: bool) -> Tensor:
        if not first and self.scaler_ is not None:
            raise UsageError(f"X is a set of images; the detector was fitted on rows of {self.n_features_in_} features")
        if isinstance(X, str | Path):
            X = self._opened(Path(X), first)
        images = X if isinstance(X, Tensor) else np.asarray(X)
        shape = tuple(images.shape[1:]) if first else self.models_[0].shape
        read = ImageReader(shape=shape)(images, self.limits)
        if first and len(read) < 2:
            raise UsageError(f"X has {len(read)} images: fit needs 2 or more")
        if first:
            self.scaler_ = None
        return read.double()

    def _opened(self, path: Path, first: bool) -> NDArray[np.uint8]:
        """The images at a path: in the size `size` when fitting, later in the size of the fitted images."""
        if first and self.size is None and path.is_dir():
            raise UsageError(f"size=None: {path} is a folder: give the height and width to which images are resized")
        channels, _, width = (None, None, self.size) if first else self.models_[0].shape
        return np.asarray(open_data(str(path), size=width, channels=channels).images)

    def _energy(self, rows: Tensor) -> Floats:
        """The mean energy [n] over all models."""
        found = [
            energies(net, model.experiment.energy, rows, model.models).reshape(-1, len(rows))
            for net, model in zip(self._nets, self.models_, strict=True)
        ]
        return np.asarray(torch.cat(found).mean(0).numpy(), np.float64)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != _LIVE}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "models_"):
            self._nets = [model.net() for model in self.models_]


def _scaler(table: Floats) -> StandardScaler:
    """A scaler that standardises rows. Raises UsageError if the variance of a feature exceeds float64."""
    with np.errstate(all="ignore"):
        scaler = StandardScaler().fit(table)
    if not np.isfinite(scaler.var_).all():
        index = int(np.flatnonzero(~np.isfinite(scaler.var_))[0])
        raise UsageError(
            f"feature {index}: numbers up to {np.abs(table[:, index]).max():.3g} are too large: give it in larger units"
        )
    return scaler


def _held_out(rows: int, share: float, randomness: Any) -> Tensor:
    """A mask [n] of the rows that are not trained on: at least one if `share` is above 0, and at most all but two."""
    kept = torch.zeros(rows, dtype=torch.bool)
    if share:
        count = min(max(math.ceil(share * rows), 1), rows - 2)
        if count < 1:
            raise UsageError(f"held_out={share:g} of {rows} rows leaves fewer than 2 to train on")
        kept[torch.from_numpy(randomness.permutation(rows)[:count])] = True
    return kept
