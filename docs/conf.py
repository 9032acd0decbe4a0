"""How the documentation is built: MyST pages, and a reference from the docstrings, which are plain prose."""

import dataclasses
import inspect
import re
from importlib.metadata import version as installed
from itertools import groupby

project = "ebgan"
author = "The ebgan developers"
copyright = "2026, The ebgan developers"
version = release = installed("ebgan")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"ebgan {version}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_sphinx = False

add_module_names = False
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 100

_COMMENT = re.compile(r"^    (\w+): .*?(?:\s+#\s*(?!noqa)(.*))?$")
_NONE = object()
_CODE = re.compile(r"(`[^`]+`)")
_SPECIAL = re.compile(r"([\\*_|])")


suppress_warnings = ["ref.python"]  # two modules may each have a Store or an Entry


def setup(app):
    app.connect("autodoc-process-signature", without_fields)
    app.connect("autodoc-process-docstring", as_prose)
    app.connect("autodoc-skip-member", skip_tuple_fields)


def without_fields(_app, kind, _name, value, _options, signature, returned):
    """A record's fields stand below it with their meaning: its signature would say them twice."""
    return ("", returned) if kind == "class" and is_record(value) else (signature, returned)


def is_record(kind):
    return hasattr(kind, "__dataclass_fields__") or hasattr(kind, "_fields")


def as_prose(_app, kind, _name, value, _options, lines):
    """Our docstrings know paragraphs, `code` and indented blocks, and stars are stars: make it so for reST."""
    text = [line for indented, block in blocks(lines) for line in (literal(block) if indented else escaped(block))]
    lines[:] = text + (fields_of(value) if kind == "class" else [])


def blocks(lines):
    """Runs of lines that are indented, or not; an empty line belongs to the run that it is in."""
    indented, marked = False, []
    for line in lines:
        indented = line.startswith("    ") if line.strip() else indented
        marked.append((indented, line))
    return [(key, [line for _, line in run]) for key, run in groupby(marked, key=lambda each: each[0])]


def literal(block):
    return ["", ".. code-block:: text", "", *block, ""]


def escaped(block):
    return ["".join(map(inline, _CODE.split(line))) for line in block]


def inline(part):
    return f"`{part}`" if part.startswith("`") else _SPECIAL.sub(r"\\\1", part)


def fields_of(kind):
    """The fields of a record with the comments beside them in the source, where units and shapes stand."""
    if not is_record(kind):
        return []
    lines = [match for line in inspect.getsource(kind).splitlines() if (match := _COMMENT.match(line))]
    comments = {name: comment for name, comment in (match.groups() for match in lines) if comment}
    described = ((name, f"{name}: {of_type}{value}") for name, of_type, value in typed_fields(kind))
    return [
        "",
        *(f"- ``{code}``" + (f": {inline(comments[name])}" if name in comments else "") for name, code in described),
    ]


def typed_fields(kind):
    """Name, type and default, as ` = value`, of each field that is the record's own."""
    own = kind.__annotations__
    if not dataclasses.is_dataclass(kind):
        return [(name, own[name], default(kind._field_defaults.get(name, _NONE))) for name in kind._fields]
    return [(each.name, each.type, default(each.default)) for each in dataclasses.fields(kind) if each.name in own]


def default(value):
    return "" if value in (_NONE, dataclasses.MISSING) else f" = {value!r}"


def skip_tuple_fields(_app, _kind, _name, value, skip, _options):
    """A named tuple's fields stand with its class; "Alias for field number 0" says nothing."""
    return skip or "Alias for field number" in (inspect.getdoc(value) or "")
