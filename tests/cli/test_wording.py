"""What is said of a wrong command line, and how a help reads."""

import pytest

from ebgan.cli.main import VERBS, run


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--objective.magin 4", "--objective.magin: no such option: did you mean --objective.margin?"),
        ("--margin 4", "--margin: no such option: did you mean --objective.margin?"),
        ("--lr 1", "did you mean --optimisers.discriminator.lr or --optimisers.generator.lr?"),
        ("--objective.margin four", "--objective.margin: 'four': expected a number or None"),
        ("--objective.margin", "--objective.margin: expected a value after it"),
        ("--images 1.5", "--images: '1.5': expected a whole number"),
        ("--data.limits 0", "--data.limits: '0': expected two numbers or None"),
        ("--data.limits 0 one", "--data.limits: 'one': expected a number or None"),
        ("--turns.generator two", "--turns.generator: 'two': expected a whole number"),
        ("--precision fp16", "--precision: 'fp16': expected bf16, fp32, fp64 or None"),
        ("--epochs 3", "--epochs: no such option: the length of a run is given in images seen"),
        ("--epochs=3", "give --images"),
        ("--batch-size 3", "--batch-size: no such option: give --batch"),
        ("--data.flip True", "True: a field that is true or false takes no value: give --FIELD or --no-FIELD"),
        ("--objective GAN", "--objective: no such option: choose a recipe, or objective: {type: NAME} in a config"),
        ("--objective lsgan", "(LossSensitiveGAN, recipes NAME.loss_sensitive), and the least-squares GAN"),
        ("--objective.type=LSGAN", "two objectives go by that name: the loss-sensitive GAN of Qi, 2017"),
        ("--zzz 3 --qqq", "--zzz: no such option: the help lists all options; --qqq: no such option"),
        ("--objective.margin -1", "ebgan: objective.margin=-1.0: expected a number of 0 or more"),
        ("--optimisers.generator.lr 0", "ebgan: optimisers.generator.lr=0.0: expected a number above 0"),
        ("more words", "more, words: not expected here"),
    ],
)
def test_a_wrong_option_is_named_with_the_mend(words, expected, tmp_path, capsys):
    assert run(["train", "digits", str(tmp_path / "run"), *words.split()]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ebgan: ")
    assert said.endswith("(see `ebgan train digits --help`)\n")
    assert said.count("\n") == 1
    assert expected in said
    assert not any(inside in said for inside in ("NoneType", "class", "Perhaps", "Unrecognized", "literal"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("sample", "RUN is missing: a run folder"),
        ("pack a b", "--size is missing: INT height and width"),
        ("evaluate run --samples ten", "--samples: 'ten': expected a whole number or None"),
        ("evaluate run --jason", "--jason: no such option: did you mean --json?"),
        ("chain run --split dev", "--split: 'dev': expected test or train"),
        ("reproduce table1 --labels a", "--labels: 'a': cannot be read"),
    ],
)
def test_so_it_is_in_other_verbs(words, expected, capsys):
    assert run(words.split()) == 2
    assert capsys.readouterr().err.startswith(f"ebgan: {expected}")


@pytest.mark.parametrize("value", ["None", "null", "2.5"])
def test_a_field_that_may_be_none_takes_none_and_numbers(value, tmp_path, capsys):
    """A number of images that is refused shows that all else was read."""
    assert run(["train", "digits", str(tmp_path), "--objective.margin", value, "--images", "0"]) == 2
    assert "images=0: expected at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("columns", ["20", "250"])
@pytest.mark.parametrize("command", [["train", "digits"], *([verb] for verb in VERBS)])
def test_a_help_has_no_default_of_none_and_an_even_frame(command, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit):
        run([*command, "--help"])
    text = capsys.readouterr().out
    assert "None)" not in text
    assert "{None}" not in text
    framed = {len(line) for line in text.splitlines() if line[:1] in "╭│╰ " and line}
    assert len(framed) == 1
    assert max(framed) <= 100


def test_a_help_keeps_the_defaults_that_say_something(capsys):
    with pytest.raises(SystemExit):
        run(["train", "digits", "--help"])
    text = capsys.readouterr().out
    for words in ("(default: 400000)", "(default: 3.0)", "--objective.margin FLOAT|None", "--no-cache"):
        assert words in text
    flag = text[text.index("--data.flip, --data.no-flip") :]
    assert "(default: False)" in flag[:400]
