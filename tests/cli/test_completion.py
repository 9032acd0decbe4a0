"""Scripts of completion, in the shells that are here."""

import contextlib
import io
import shlex
import shutil
import subprocess

import pytest

from ebgan.cli.main import VERBS, run

NEEDS_BASH = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """The script of each shell."""
    found = {}
    for shell in ("bash", "zsh", "fish"):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            assert run(["completion", shell]) == 0
        found[shell] = said.getvalue()
    return found


@NEEDS_BASH
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tr"], {"train"}),
        (["s"], {"sample", "score", "sweep"}),
        ([""], set(VERBS)),
        (["train", "digi"], {"digits", "digits.by_class", "digits.nae"}),
        (["sweep", "mnist_grid.e"], {"mnist_grid.ebgan"}),
        (["train", "digits", "--objective.m"], {"--objective.margin"}),
        (["train", "digits", "--data.no"], {"--data.no-flip"}),
        (["train", "digits", "runs/digi"], set()),
        (["pack", "a", "b", "--siz"], {"--size"}),
        (["evaluate", "--jso"], {"--json"}),
        (["doctor", "x", "--obj"], set()),
    ],
)
def test_bash_completes_verbs_recipes_and_options(words, expected, scripts):
    asked = f"COMP_WORDS=({shlex.join(['ebgan', *words])}); COMP_CWORD={len(words)}; _ebgan"
    printed = 'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{scripts['bash']}\n{asked}; {printed}"], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == expected
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_that_is_here_reads_its_script(shell, scripts):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    subprocess.run([shell, "-n"], input=scripts[shell], text=True, check=True)


def test_the_script_of_fish_names_every_verb_and_its_options(scripts):
    lines = scripts["fish"].splitlines()
    for verb in VERBS:
        assert any(line.startswith(f"complete -c ebgan -f -n __fish_use_subcommand -a {verb} -d ") for line in lines)
    assert "complete -c ebgan -n '__fish_seen_subcommand_from train' -l 'objective.margin'" in lines
    assert all(line.startswith("complete -c ebgan ") for line in lines)


def test_the_script_of_zsh_is_that_of_bash_by_its_own_emulation(scripts):
    assert scripts["zsh"].partition("\n")[2] == scripts["bash"]


def test_another_shell_is_refused(capsys):
    assert run(["completion", "tcsh"]) == 2
    assert "'tcsh': expected bash, fish or zsh" in capsys.readouterr().err
