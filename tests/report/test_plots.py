import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from ebgan.report import ink, plots

SVG = "{http://www.w3.org/2000/svg}"


def curves(svg, color):
    """The points [points, 2] of each line of a colour, y downwards; the legend is left out: it is not clipped."""
    paths = [path for path in ElementTree.fromstring(svg).iter(f"{SVG}path") if color in styled(path)]
    return [np.array(re.findall(r"[ML] (\S+) (\S+)", path.get("d")), float) for path in paths if path.get("clip-path")]


def points(svg):
    """The colours of the single points that are drawn."""
    marks = ElementTree.fromstring(svg).iter(f"{SVG}use")
    return {color for mark in marks for color in re.findall("fill: (#[0-9a-f]+)", styled(mark))}


def styled(path):
    return path.get("style", "")


def texts(svg):
    return {text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")}


def test_the_margin_is_drawn_dashed_among_the_energies(stats):
    (margin,) = curves(plots.energies(stats), ink.MARGIN)
    assert "stroke-dasharray" in plots.energies(stats)
    assert np.ptp(margin[:, 1]) == 0
    (real,) = curves(plots.energies(stats), ink.REAL)
    assert (np.diff(real[:, 1]) >= 0).all(), "an energy that falls must fall in the picture"
    assert {"real", "fake, G's turn", "D's turn", "margin", "images seen"} <= texts(plots.energies(stats))


def test_energies_without_a_margin_have_no_line_of_it(stats):
    svg = plots.energies([{**record, "margin": None} for record in stats])
    assert not curves(svg, ink.MARGIN)
    assert "margin" not in texts(svg)
    for record in stats:
        del record["margin"]
    assert plots.energies(stats) == svg


def test_learning_rates_are_drawn_where_they_move(stats):
    assert plots.learning_rates(stats) == ""
    for step, record in enumerate(stats):
        record["learning_rate/discriminator"] = 1e-3 * 0.5 ** (step // 10)
    (line,) = curves(plots.learning_rates(stats), plots.DISCRIMINATOR)
    assert len(set(line[:, 1])) == 4
    assert not curves(plots.learning_rates(stats), plots.GENERATOR)


def test_a_generator_without_turns_has_no_learning_rate(stats):
    for step, record in enumerate(stats):
        for player in ("discriminator", "generator"):
            record[f"learning_rate/{player}"] = 1e-3 * 0.5 ** (step // 10)
    assert curves(plots.learning_rates(stats), plots.GENERATOR)
    alone = [{name: value for name, value in record.items() if name != "loss_generator"} for record in stats]
    assert not curves(plots.learning_rates(alone), plots.GENERATOR)
    assert "generator" not in texts(plots.learning_rates(alone))


def test_experts_are_drawn_as_shares_between_none_and_all(stats):
    assert plots.experts(stats) == ""
    for step, record in enumerate(stats):
        record |= {"expert_entropy": 1 / (step + 1), "batch_entropy": 1.0, "expert_similarity": step / len(stats)}
    svg = plots.experts(stats)
    assert {"entropy of a sample", "of the batch", "similarity", "0%", "100%"} <= texts(svg)
    (similarity,) = curves(svg, ink.FAKE)
    assert (np.diff(similarity[:, 1]) < 0).all(), "y points down"


def test_a_stack_draws_one_line_a_model(stats):
    stacked = [{"images": record["images"], "loss_generator": [1.0, 2.0, record["images"]]} for record in stats]
    assert len(curves(plots.losses(stacked), plots.GENERATOR)) == 3


def test_a_loss_that_is_not_finite_leaves_a_gap_and_the_rest_is_drawn(stats):
    stats[10]["loss_generator"] = float("inf")
    stats[20]["loss_generator"] = float("nan")
    svg = plots.losses(stats)
    assert "nan" not in svg.lower()
    assert [len(line) for line in curves(svg, plots.GENERATOR)] == [len(stats) - 2]


def test_nothing_but_values_that_are_not_numbers_still_makes_a_picture(stats):
    assert plots.losses([{"images": 1, "loss_generator": float("nan")}]).startswith("<svg")


@pytest.mark.parametrize("draw", [plots.losses, plots.energies, plots.hinge_share, plots.speed])
def test_records_without_the_field_give_no_picture(draw):
    assert draw([]) == ""
    assert draw([{"images": 1}]) == ""


def test_a_single_record_is_drawn_as_points(stats):
    assert points(plots.energies(stats[:1])) == {ink.REAL, ink.FAKE, ink.MARGIN}
    assert points(plots.losses(stats[:1])) == {plots.DISCRIMINATOR, plots.GENERATOR}
    assert not points(plots.losses(stats))


def test_the_same_records_give_the_same_text_whatever_the_users_settings(stats):
    first = plots.energies(stats)
    with matplotlib.rc_context({"xtick.labelsize": 20, "svg.fonttype": "path", "lines.dashed_pattern": (9, 9)}):
        assert plots.energies(stats) == first


def test_many_records_are_thinned_to_the_means_of_equal_stretches():
    records = [{"images": step, "images_per_second": 100 + step % 2} for step in range(10_000)]
    (line,) = curves(plots.speed(records), plots.DISCRIMINATOR)
    assert len(line) <= 200
    assert np.ptp(line[:, 1]) < 1e-6


def test_ink_takes_the_colour_of_the_page(stats):
    assert "currentColor" in plots.losses(stats)
    assert "#000000" not in plots.losses(stats)


def test_terms_are_drawn_only_where_a_loss_has_several(stats):
    assert {"real", "hinge"} <= texts(plots.terms(stats, "discriminator"))
    assert plots.terms(stats, "generator") == ""


def test_a_few_high_values_bring_decades_and_a_steady_metric_does_not():
    falling = [{"images": step, "metrics": {"fid": 500 * 0.5**step + 1}} for step in range(12)]
    steady = [{"images": step, "metrics": {"fid": 500 - step}} for step in range(12)]
    assert {"10", "100"} <= texts(plots.metric(falling, "fid"))
    assert "200" not in texts(plots.metric(falling, "fid"))
    assert {"100", "200", "300"} <= texts(plots.metric(steady, "fid"))


def test_a_metric_stands_beside_the_real_images_score(evaluations):
    svg = plots.metric(evaluations, "i_usual")
    assert {"samples", "real images"} <= texts(svg)
    assert "real images" not in texts(plots.metric(evaluations, "fid_classifier"))


def test_the_histogram_marks_the_even_share():
    svg = plots.histogram([0.5, 0.25, 0.25, 0.0])
    bars = [path for path in ElementTree.fromstring(svg).iter(f"{SVG}path") if f"fill: {ink.FAKE}" in styled(path)]
    assert len(bars) == 4
    assert {"even share", "0", "1", "2", "3", "50%"} <= texts(svg)
    assert plots.histogram([]) == ""


def test_the_histogram_names_the_classes_where_there_is_room():
    assert {"cat", "dog", "a$b", "an uncommonly l\u2026"} <= texts(
        plots.histogram([0.25] * 4, names=["cat", "dog", "a$b", "an uncommonly long name"])
    )
    assert {"0", "5"} <= texts(plots.histogram([0.25] * 6, names=["cat", "dog"]))  # names of something else
    assert "name 7" not in texts(plots.histogram([0.01] * 100, names=[f"name {each}" for each in range(100)]))
    assert "name 7" in texts(plots.histogram([0.05] * 20, names=[f"name {each}" for each in range(20)]))


def test_names_in_records_are_text_and_never_markup(stats):
    for record in stats:
        record["generator/<script>$x$"] = 1.0
    assert "<script>" not in plots.terms(stats, "generator")
    assert "<script>$x$" in texts(plots.terms(stats, "generator"))
