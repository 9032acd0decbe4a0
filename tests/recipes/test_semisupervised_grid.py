"""The tuning grid of appendix D."""

import pytest

from ebgan.recipes import find_grid
from ebgan.recipes.semisupervised_mnist import ladder


def test_the_papers_grid_has_its_20_trials_and_its_best_is_the_recipe() -> None:
    trials = list(find_grid("semisupervised_grid").make("paper").trials())
    assert len(trials) == 20
    weights = {trial.experiment.objective.weight for trial in trials}
    assert sorted(weights) == pytest.approx([0.6378, 1.2755, 2.5510, 6.3776], abs=5e-5)
    assert sum(trial.experiment == ladder() for trial in trials) == 1


def test_a_twentieth_of_the_steps_has_a_decay_to_match() -> None:
    base = find_grid("semisupervised_grid").make("cpu").base
    decay = base.optimisers.discriminator.decay
    assert (base.images, decay.begin, decay.finish) == (600_000, 400_000, 600_000)
    assert len(find_grid("semisupervised_grid").make("tiny")) == 4
