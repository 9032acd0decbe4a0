"""The detector as scikit-learn expects it, and as a user of tables and pictures meets it."""

import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

import ebgan
from ebgan.detection.training import energies
from ebgan.errors import UsageError
from ebgan.experiment import Nets
from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.objectives import BEGAN, EBGAN, GAN, VGAN, SemiSupervised

QUICK = {"steps": 6, "ensemble": 2, "batch": 16}


def quick(**settings: Any) -> ebgan.EnergyAnomalyDetector:
    return ebgan.EnergyAnomalyDetector(**{**QUICK, **settings})


def plane(count: int, seed: int = 0) -> np.ndarray:
    """Rows of 6 features on a plane, with a little noise."""
    draw = np.random.default_rng(seed)
    across = np.random.default_rng(99).normal(size=(2, 6))
    return draw.normal(size=(count, 2)) @ across + 0.05 * draw.normal(size=(count, 6))


def pictures(count: int = 12) -> torch.Tensor:
    return torch.randint(256, (count, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
def test_scikit_learn_s_own_checks_pass() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of checks that are skipped
        check_estimator(quick(steps=4))


CHECKS = [
    "check_dict_unchanged",
    "check_estimators_pickle",
    "check_fit_idempotent",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_outliers_train",
]


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_of_scikit_learn_passes(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        every = estimator_checks_generator(quick(steps=2, ensemble=1))
        chosen = [(each, check) for each, check in every if getattr(check, "func", check).__name__ == name]
    assert chosen
    for each, check in chosen:
        check(each)


def test_rows_off_the_plane_are_found_whatever_trains_the_energy() -> None:
    odd = np.random.default_rng(3).normal(size=(50, 6)) * 2
    for objective in ("autoencoder", "ebgan"):
        detector = ebgan.EnergyAnomalyDetector(objective, ensemble=1, steps=200, code=2).fit(plane(400))
        scores = detector.score_samples(np.concatenate((plane(50, seed=1), odd)))
        assert np.median(scores[:50]) > scores[50:].max() - 1
        assert (scores[:50, None] > scores[None, 50:]).mean() > 0.95


def test_the_threshold_leaves_the_contamination_outside() -> None:
    rows = plane(200)
    detector = quick(contamination=0.05).fit(rows)
    assert (detector.predict(rows) == -1).sum() == 10
    assert ((detector.decision_function(rows) < 0) == (detector.predict(rows) == -1)).all()
    np.testing.assert_array_equal(detector.decision_function(rows), detector.score_samples(rows) - detector.offset_)


def test_held_out_rows_give_p_values_that_are_what_they_say() -> None:
    detector = quick(held_out=0.5, steps=60, ensemble=1).fit(plane(1000))
    assert detector.normals_.held_out
    assert len(detector.normals_.energies) == 500
    values = detector.p_values(plane(2000, seed=7))
    for share in (0.05, 0.2, 0.5):
        assert (values <= share).mean() == pytest.approx(share, abs=0.06)
    assert detector.p_values(np.full((1, 6), 1e6)) == pytest.approx(1 / 501)


def test_an_ensemble_s_energy_is_the_mean_of_its_models() -> None:
    rows = plane(60)
    detector = quick(ensemble=3).fit(rows)
    (model,) = detector.models_
    assert model.models == (3,)
    standardised = torch.from_numpy(detector.scaler_.transform(rows))[..., None, None]
    each = energies(model.net(), model.experiment.energy, standardised, model.models).numpy()
    assert (each.std(0) > 0).all()
    np.testing.assert_allclose(-detector.score_samples(rows), each.mean(0))


def test_one_seed_gives_one_detector_and_another_seed_another() -> None:
    rows = plane(60)
    first, again, other = (quick(random_state=seed).fit(rows).score_samples(rows) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("through", [lambda each: pickle.loads(pickle.dumps(each)), clone, "joblib"])
def test_it_is_pickled_cloned_and_kept_by_joblib(through: Any, tmp_path: Path) -> None:
    rows, detector = plane(60), quick().fit(plane(60))
    if through == "joblib":
        joblib.dump(detector, tmp_path / "detector")
        copy = joblib.load(tmp_path / "detector")
    else:
        copy = through(detector)
    copy = copy if hasattr(copy, "models_") else copy.fit(rows)
    np.testing.assert_array_equal(copy.score_samples(rows), detector.score_samples(rows))


def test_it_searches_in_a_pipeline() -> None:
    rows = np.concatenate((plane(60), np.random.default_rng(0).normal(size=(12, 6)) * 3))
    kinds = np.r_[np.ones(60), -np.ones(12)]
    search = GridSearchCV(
        make_pipeline(RobustScaler(), quick()),
        {"energyanomalydetector__code": [1, "wide"], "energyanomalydetector__objective": ["ebgan", EBGAN(margin=1.0)]},
        scoring="roc_auc",
        cv=StratifiedKFold(2),
        error_score="raise",
    )
    assert 0 <= search.fit(rows, kinds).best_score_ <= 1


@pytest.mark.parametrize("objective", ["autoencoder", "ebgan_pt", "began", "magan", BEGAN(gamma=0.7), GAN(), VGAN()])
def test_any_objective_that_needs_no_labels_fits(objective: Any) -> None:
    assert np.isfinite(quick(objective=objective).fit(plane(40)).score_samples(plane(5))).all()


def test_a_constant_feature_that_moves_is_an_anomaly() -> None:
    rows = np.concatenate((plane(60), np.full((60, 1), 7.0)), 1)
    detector = quick().fit(rows)
    moved = rows[:5] + np.r_[np.zeros(6), 50.0]
    assert (detector.predict(moved) == -1).all()


def test_all_constant_rows_and_a_single_feature_are_fitted() -> None:
    for rows in (np.ones((10, 3)), np.arange(10.0)[:, None]):
        assert np.isfinite(quick().fit(rows).decision_function(rows)).all()


def test_progress_is_told_ten_times_and_only_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[int, float]] = []
    quick(steps=20, progress=lambda step, energy: told.append((step, energy))).fit(plane(40))
    assert [step for step, _ in told] == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert capsys.readouterr().out == ""


def test_the_package_is_imported_without_scikit_learn() -> None:
    code = "import ebgan, sys; assert 'EnergyAnomalyDetector' in dir(ebgan); sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_images_are_judged_as_bytes_as_floats_and_from_a_folder(tmp_path: Path) -> None:
    images = pictures()
    detector = quick().fit(images)
    scores = detector.score_samples(images)
    np.testing.assert_allclose(detector.score_samples(images / 127.5 - 1), scores, rtol=1e-5)
    for place, image in enumerate(images):
        Image.fromarray(image[0].numpy()).save(tmp_path / f"{place:02d}.png")
    np.testing.assert_allclose(detector.score_samples(tmp_path), scores, rtol=1e-5)
    assert quick(size=8).fit(str(tmp_path)).predict(images.numpy()).shape == (12,)


def test_convolutional_nets_are_trained_one_by_one() -> None:
    nets = Nets(generator=ConvGenerator(width=8), discriminator=ConvAutoencoder(encoder="(8)4c2s"))
    detector = quick(nets=nets, steps=2, batch=4).fit(pictures())
    assert len(detector.models_) == 2
    assert np.isfinite(detector.score_samples(pictures())).all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((1, 3)), "minimum of 2"),
        (np.ones((0, 3)), "0 sample"),
        (np.ones((5, 0)), "0 feature"),
        (np.array([[1.0, np.nan]] * 4), "NaN"),
        (np.array([[1.0, np.inf]] * 4), "infinity"),
        (np.array([["a", "b"]] * 4), "could not convert string"),
        (np.ones(5), "Reshape"),
        (np.ones((5, 2, 2)), "dim 3"),
        (np.ones((5, 1, 4, 4)) * 9, "BLACK, WHITE|give limits"),
        (pictures(1), "2 or more"),
        ("/no/such/folder", "no such"),
        (str(Path(__file__).parent), "size=None"),
    ],
)
def test_data_that_cannot_be_fitted_is_refused_in_one_line(rows: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quick().fit(rows)


def test_rows_of_another_kind_or_size_are_refused_later() -> None:
    table, images = quick().fit(plane(20)), quick().fit(pictures())
    for detector, given, message in (
        (table, np.ones((2, 5)), "5 features"),
        (table, pictures(), "6 features"),
        (images, plane(3), "fitted on images"),
        (images, torch.zeros(2, 1, 9, 9, dtype=torch.uint8), "expected"),
    ):
        with pytest.raises(ValueError, match=message):
            detector.predict(given)


@pytest.mark.parametrize(
    "settings",
    [
        *({"contamination": share} for share in (0, -0.1, 0.6, "auto", float("nan"))),
        *({name: value} for name in ("ensemble", "steps", "batch") for value in (0, 1.5)),
        *({"held_out": share} for share in (-0.1, 1.0)),
        *({"noised": share} for share in (-0.1, 1.1)),
        *({"margin": share} for share in (-0.1, 1.1)),
        *({"noise": 0.0}, {"learning_rate": 0.0}, {"code": 0}, {"code": "thin"}),
        *({"objective": "ebgans"}, {"objective": 3}, {"objective": SemiSupervised(inner=EBGAN())}),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(settings))):
        quick(**settings).fit(plane(20))


def test_too_few_rows_to_hold_some_out_are_refused() -> None:
    with pytest.raises(UsageError, match="held_out"):
        quick(held_out=0.5).fit(plane(2))


def test_numbers_far_beyond_all_others_keep_a_finite_score() -> None:
    assert np.isfinite(quick().fit(plane(20)).score_samples(np.full((1, 6), 1e300))).all()


def test_numbers_whose_variance_overflows_are_refused_by_feature() -> None:
    with pytest.raises(UsageError, match="feature 0"):
        quick().fit(plane(20) * 1e300)


def test_images_in_another_range_need_limits() -> None:
    images = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 255
    detector = quick(limits=(0, 255)).fit(images)
    assert np.isfinite(detector.score_samples(images)).all()


def test_an_unfitted_detector_says_so() -> None:
    for call in (quick().predict, quick().p_values, quick().score_samples):
        with pytest.raises(NotFittedError):
            call(plane(3))


@pytest.mark.parametrize("settings", [{"nets": 3}, {"device": "cuda:77"}])
def test_nets_and_devices_that_are_none_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        quick(**settings).fit(plane(20))
