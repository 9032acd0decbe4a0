"""Reword tyro's output: shorter help texts, and each error on one line."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ebgan.errors import ambiguous

_FRAME = re.compile("[\u2500-\u257f]+|-{3,}")
_POINTERS = ("For full helptext", "Argument helptext")
_OPTION = re.compile(r"^\W*--([a-z][\w.-]*)|, --([a-z][\w.-]*)", re.MULTILINE)
_FIRST = "show this help"  # the description of the first option
_SWITCH = re.compile(r"^\W --[\w.-]+ *\W?$")  # a flag, whose default is not shown
_SWITCH_DEFAULT, _NO_DEFAULT = re.compile(r" ?\(default: (None|True|False)\)"), re.compile(r" ?\(default: None\)")
_FIXED = re.compile(r"\(fixed to: .*\)$")  # a value that cannot be written on a command line
_TRUTHS = ("True", "False", "true", "false")
_IMAGES = "the length of a run is given in images seen (an epoch sees each image once): give --images"
_OTHER_WORDS = {  # an option's name in other programs -> the option here
    **dict.fromkeys(("epochs", "epoch", "steps", "iterations", "iters", "max-steps", "num-epochs"), _IMAGES),
    **dict.fromkeys(("batch-size", "bs", "batchsize"), "give --batch"),
    **dict.fromkeys(("gpu", "gpus", "cuda", "cpu"), "give --device, as in --device cuda or --device cpu"),
    **dict.fromkeys(("learning-rate", "lr-d", "lr-g"), "give --optimisers.generator.lr, --optimisers.discriminator.lr"),
    **dict.fromkeys(("objective", "objective.type", "loss"), "choose a recipe, or objective: {type: NAME} in a config"),
    **dict.fromkeys(("out", "output", "out-dir", "output-dir"), "give the folder without --, after the recipe or run"),
}


def plain_help(text: str) -> str:
    """A help text without uninformative defaults (None, and those of flags)."""
    column = next((line.index(_FIRST) for line in text.splitlines() if _FIRST in line), None)
    if column is None:
        return text
    lines: list[str] = []
    entry = _Entry("", "", 0)
    for line in [*text.splitlines(), ""]:
        framed = line[:1] in ("\u2502", " ")  # the parser draws spaces if the terminal has no frames
        words = line[column:].strip("\u2502 ")
        if framed and words and not line[1:column].strip():
            entry = entry._replace(words=f"{entry.words} {words}".lstrip())
            continue
        lines += _laid_out(entry, column)
        beside = framed and line[column - 2 : column] == "  " and line[column : column + 1].strip() != ""
        entry = _Entry(line[:column], words, len(line)) if beside else _Entry(line, "", len(line))
    return "\n".join(lines[1:])


class _Entry(NamedTuple):
    """An option in a help text, with the description beside or below it."""

    head: str  # the option
    words: str  # its description
    width: int  # columns of the frame


def _laid_out(entry: _Entry, column: int) -> list[str]:
    """The lines of an entry, within the frame; descriptions begin at `column`."""
    if not entry.words:
        return [entry.head]
    edge, room = entry.head[0], entry.width - column - 2
    dropped = _SWITCH_DEFAULT if _SWITCH.match(entry.head) else _NO_DEFAULT
    heads = iter([entry.head] if len(entry.head) == column else [])
    words = textwrap.wrap(_FIXED.sub("(set in a config.yaml)", dropped.sub("", entry.words)), room) or [""]
    lines = [f"{next(heads, edge):<{column}}{each:<{room}} {edge}" for each in words]
    return lines if len(entry.head) == column else [entry.head, *lines]


def option_names(help_text: str) -> list[str]:
    """The options of a help text, without their dashes."""
    return [one or two for one, two in _OPTION.findall(help_text)]


def plain_error(boxed: str, argv: Sequence[str], known: Sequence[str]) -> str:
    """Tyro's framed error as one plain line; `known` are the options that exist."""
    unknown = [name for name in map(_name, argv) if name and name not in {*known, "help"}]
    text = _one_line(boxed)
    if unknown and not text.startswith("Error parsing"):
        mends = [f"--{name}: no such option: {_mend(name, known)}" for name in dict.fromkeys(unknown)]
        return "; ".join([*mends, *filter(None, dict.fromkeys(map(ambiguous, _values(argv))))])
    for pattern, reword in _REWORDED.items():
        if found := re.match(pattern, text):
            return reword(*found.groups())
    return text


def _choices(value: str, option: str, quoted: str) -> str:
    """The message for a value that is not among an option's choices."""
    choices = sorted(re.findall(r"'([^']*)'", quoted), key=lambda choice: (choice == "None", choice))
    return f"{option}: {value!r}: expected {' or '.join(', '.join(choices).rsplit(', ', 1))}"


def _name(word: str) -> str:
    """The name of an option as in the help; "" for a value."""
    return word[2:].partition("=")[0].replace("_", "-") if word.startswith("--") and word != "--" else ""


def _values(argv: Sequence[str]) -> list[str]:
    """The values on a command line: words that are not options, and the part of options after `=`."""
    return [word.partition("=")[2] if word.startswith("--") else word for word in argv]


def _mend(name: str, known: Sequence[str]) -> str:
    """Advice for an unknown option: the option that the user may have meant."""
    same = [f"--{each}" for each in known if each.rpartition(".")[2] == name]
    near = difflib.get_close_matches(name, known, 1, 0.7)
    ends = {each.rpartition(".")[2]: each for each in known}
    near = near or [ends[end] for end in difflib.get_close_matches(name, ends, 1, 0.75)]
    other = _OTHER_WORDS.get(name, "")
    if not set(re.findall(r"--([a-z][\w.-]*[a-z])", other)) <= set(known):
        other = ""
    meant = f"did you mean {' or '.join(same or [f'--{each}' for each in near])}?" if same or near else ""
    if other:
        return f"{other}; {meant}" if same else other
    return meant or "the help lists all options"


def _surplus(words: str) -> str:
    """The message for words that belong to no option."""
    if words in _TRUTHS:
        return f"{words}: a field that is true or false takes no value: give --FIELD or --no-FIELD"
    return f"{words}: not expected here; an option begins with --"


def _field(owner: str, message: str) -> str:
    """A dataclass's error message with the full path of the field in front."""
    if message.startswith(owner.partition(".")[0] + "."):
        return message
    return f"{owner}.{message}" if re.match(r"\w+=", message) else f"{owner}: {message}"


_REWORDED: dict[str, Callable[..., str]] = {  # pattern of tyro's message -> our message
    r"Unrecognized options: (.*?)(?: Perhaps you meant.*)?$": _surplus,
    r"Error parsing experiment\.(\S+): (.*)$": _field,
    r"Error parsing (\S+): Could not find valid parse for arguments: \[(.*)\]$": "{}: {}: cannot be read".format,
    r"Error parsing (\S+): (.*)$": "{}: {}".format,
    r"Missing value for argument '(\S+)'": "{}: expected a value after it".format,
    r"invalid choice '(.*)' for argument '(\S+)'\. Expected one of \((.*)\) ?\.?$": _choices,
    r"Missing from [\w .-]*: (\S+) (.*?) \(required\)": "{} is missing: {}".format,
}


def _one_line(boxed: str) -> str:
    """The text of a framed message, without its title, frame and hints about the help."""
    words = []
    for line in [_FRAME.sub(" ", line).strip("+| ") for line in boxed.splitlines()[1:]]:
        if line.startswith(_POINTERS):
            break
        words.append(line)
    return " ".join(" ".join(words).split())
