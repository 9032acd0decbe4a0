"""The variants of EBGAN-LN: each changes what it says and nothing else, and results are kept."""

from pathlib import Path

import pytest

from ebgan import config
from ebgan.objectives import EBGAN
from ebgan.recipes.semisupervised_mnist import ebgan_ln
from ebgan.reproductions.claims import Request
from ebgan.reproductions.labels import ablations as ladder_ablations
from ebgan.reproductions.labels.ablations import BASE, VARIANTS, base
from ebgan.sweeps import SweepStore
from ebgan.tree_walk import leaves

CHANGED = {  # the fields of the config that a variant may change
    BASE: (),
    "without the generator": ("objective.inner", "turns.generator"),
    "margin stays": ("objective.inner", "turns.generator"),
    "margin falls in steps": ("objective.inner.schedules.margin",),
    "weight on the data alone": ("objective.weighs",),
    "statistics of labelled images": ("nets.discriminator.statistics",),
    "gamma at the softmax": ("nets.discriminator.top_scale",),
    "vanilla combinator": ("nets.discriminator.combinator",),
    "real and fake in one batch": ("turns.joined",),
    "pixels in both signs": ("data.limits", "objective.inner", "objective.weight"),
}


def test_at_the_papers_scale_the_base_is_the_recipe() -> None:
    assert base("paper", 0) == ebgan_ln()


@pytest.mark.parametrize("scale", ["cpu", "paper"])
def test_each_variant_changes_what_it_says_and_nothing_else(scale: ladder_ablations.Scale) -> None:
    plain = dict(leaves(config.plain(base(scale, 3))))
    assert CHANGED.keys() == VARIANTS.keys()
    for title, change in VARIANTS.items():
        other = dict(leaves(config.plain(change(base(scale, 3)))))
        differing = {path for path in plain.keys() | other.keys() if plain.get(path) != other.get(path)}
        assert {path for path in differing if not path.startswith(CHANGED[title])} == set()
        assert bool(differing) == (title != BASE)


def test_a_margin_in_steps_begins_and_ends_as_the_line_does() -> None:
    falls = VARIANTS["margin falls in steps"](base("paper", 0)).objective.inner.schedules["margin"]
    assert (falls.values[0], falls.values[-1]) == (16.0, 0.0)
    assert falls.boundaries[-1] < 6_000_000


def test_a_margin_that_stays_is_the_one_that_falls_elsewhere() -> None:
    assert VARIANTS["margin stays"](base("paper", 0)).objective.inner == EBGAN(margin=16.0)


def test_seeds_train_as_stacks_whose_results_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {title: VARIANTS[title] for title in (BASE, "margin stays")}
    monkeypatch.setattr(ladder_ablations, "VARIANTS", few)
    first = ladder_ablations.reproduce(Request("tiny", tmp_path, lambda text: None))
    with SweepStore(tmp_path / "stacks" / "trials.sqlite") as store:
        rows = store.rows()
    assert [row.status for row in rows] == ["done"] * 4
    (table,) = first.tables.values()
    errors = [100 * row.metrics["test_error"] for row in rows if row.fields["objective.inner.type"] == "Scheduled"]
    assert table[1][1].startswith(f"{sum(errors) / 2:.2f} +- ")
    assert table[1][2].startswith("+0.00")
    monkeypatch.setattr("ebgan.reproductions.labels.cell_runs.run_trials", None)  # nothing is left to train
    again = ladder_ablations.reproduce(Request("tiny", tmp_path, lambda text: None))
    assert again == first
