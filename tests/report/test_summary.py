import pytest

from ebgan.report import summary


def test_the_head_says_how_far_how_long_how_fast_and_how_good(stats, evaluations):
    facts = {fact.label: (fact.value, fact.note) for fact in summary.headline(stats, evaluations, 8000)}
    assert facts == {
        "Images seen": ("4,000", "of 8,000"),
        "Training time": ("10 s", ""),
        "Images a second": ("420.5", "median"),
        "I', usual order": ("1.987", "real data 2.21"),
        "FID, classifier": ("12", ""),
        "Classes covered": ("90 %", ""),
    }


def test_a_run_without_records_has_no_head():
    assert summary.headline([], [], None) == []


def test_a_real_images_score_is_no_metric_of_its_own(evaluations):
    assert summary.metric_names(evaluations) == ["i_usual", "fid_classifier", "classes_covered"]


def test_an_unknown_metric_stands_last_by_its_own_name(evaluations):
    rows = summary.metric_rows({"metrics": {"sharpness": 0.25, "i_usual": 2.0}})
    assert [(row.label, row.samples) for row in rows] == [("I', usual order", "2"), ("sharpness", "0.25")]


def test_an_alarm_raised_often_is_told_once_with_its_last_message():
    raised = [{"images": images, "alarm": "collapse", "message": f"at {images}"} for images in (1000, 2000, 30000)]
    raised.insert(1, {"images": 1500, "alarm": "dead hinge", "message": "Raise the margin."})
    assert summary.alarms(raised) == [
        summary.Alarm("collapse", "at 30000", "3 times, from 1,000 to 30,000 images seen"),
        summary.Alarm("dead hinge", "Raise the margin.", "at 1,500 images seen"),
    ]


def test_a_message_does_not_repeat_the_alarms_name():
    (alarm,) = summary.alarms([{"images": 1, "alarm": "collapse", "message": "collapse: one class is left."}])
    assert alarm.message == "one class is left."


def test_the_protocol_is_said_in_words_and_short_numbers():
    stated = {"samples": 2000, "classifier": "ConvNet", "i_usual_best": 2.302585092994046}
    expected = {"samples": "2,000", "classifier": "ConvNet", "i usual best": "2.303"}
    assert summary.protocol({"protocol": stated}) == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0010493, "0.001049"), (12345.6, "12,346"), (float("nan"), "not finite")],
)
def test_numbers_are_said_in_four_digits(value, said):
    assert summary.number(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.488, "0.488 s"), (59.9, "1 min 00 s"), (146, "2 min 26 s"), (3725, "1 h 02 min")]
)
def test_times_are_said_in_their_two_largest_units(seconds, said):
    assert summary.duration(seconds) == said
