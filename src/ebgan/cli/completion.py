"""`ebgan completion SHELL`: print a script that makes a shell complete verbs, recipes and options."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from ebgan.cli.arguments import parse
from ebgan.cli.main import VERBS
from ebgan.cli.wording import option_names

EXAMPLE = "digits"  # the recipe whose fields are completed; other recipes have mostly the same fields
_TAKES_RECIPE = {"train": "recipe", "calibrate": "recipe", "sweep": "grid"}


@dataclass(frozen=True)
class Completion:
    """Print a script that completes verbs, recipes and options: eval "$(ebgan completion bash)"."""

    shell: Annotated[Positional[Literal["bash", "zsh", "fish"]], arg(metavar="SHELL", help="bash, zsh or fish")]


def main(argv: list[str]) -> None:
    """Print the script."""
    chosen = parse(Completion, "completion", argv)
    from ebgan.recipes import foreign
    from ebgan.recipes.catalogue import entries

    options = {verb: [f"--{name}" for name in _options(verb)] for verb in VERBS}
    names = {verb: sorted([*entries(kind), *foreign.names()]) for verb, kind in _TAKES_RECIPE.items()}
    print(_fish(options, names) if chosen.shell == "fish" else _bash(options, names, chosen.shell == "zsh"))


def _options(verb: str) -> list[str]:
    """The options in a verb's help; if it takes a recipe, including the fields of a typical recipe."""
    output = io.StringIO()
    recipe = [EXAMPLE] if _TAKES_RECIPE.get(verb) == "recipe" else []
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        import_module(f"ebgan.cli.{verb}").main([*recipe, "--help"])
    return sorted({*option_names(output.getvalue()), "help"})


def _bash(options: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]], zsh: bool) -> str:
    """A script for bash and zsh; everything except verbs, recipes and options is completed as a path."""
    cases = [
        f"    {verb}) options='{' '.join(words)}' names='{' '.join(names.get(verb, ()))}' ;;"
        for verb, words in options.items()
    ]
    return "\n".join(
        [
            *(["autoload -Uz compinit bashcompinit && compinit && bashcompinit"] if zsh else []),
            "_ebgan() {",
            "  local word=${COMP_WORDS[COMP_CWORD]} options= names=",
            "  case ${COMP_WORDS[1]} in",
            *cases,
            "  esac",
            f"  if [ $COMP_CWORD -eq 1 ]; then options= names='{' '.join(VERBS)}'; fi",
            "  case $word in -*) names=$options ;; *) [ $COMP_CWORD -gt 2 ] && names= ;; esac",
            '  COMPREPLY=($(compgen -W "$names" -- "$word"))',
            "}",
            "complete -o bashdefault -o default -F _ebgan ebgan",
        ]
    )


def _fish(options: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]]) -> str:
    """A script for fish."""
    lines = [
        f"complete -c ebgan -f -n __fish_use_subcommand -a {verb} -d {shlex.quote(summary.replace('`', ''))}"
        for verb, summary in VERBS.items()
    ]
    for verb, words in options.items():
        seen = f"complete -c ebgan -n '__fish_seen_subcommand_from {verb}'"
        lines += [f"{seen} -l '{word[2:]}'" for word in words]
        if verb in names:
            lines.append(f"{seen} -a '{' '.join(names[verb])}'")
    return "\n".join(lines)
