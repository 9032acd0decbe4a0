"""Optional libraries: imported when they are needed, and named with their extra where they are missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from ebgan.errors import UsageError


def needed(module: str, extra: str) -> ModuleType:
    """The module of an optional library. Raises UsageError that says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        raise UsageError(
            f"{library} is needed here and cannot be imported ({error}): pip install 'ebgan[{extra}]'"
        ) from error
