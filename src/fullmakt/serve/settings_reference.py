"""The reference page of the settings, ``docs/reference/settings.md``, made from their names, types and docstrings.

``python -m fullmakt.serve.settings_reference > docs/reference/settings.md`` writes it anew.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from fullmakt.serve.settings import Settings

_HEAD = """# Settings

<!-- Made from the code by `python -m fullmakt.serve.settings_reference`: do not edit. -->

One TOML file, then the environment, which goes before it. In the environment a setting is called as in the last
column; lists and tables are JSON there. `--config FILE` or `FULLMAKT_CONFIG` names the file. `fullmakt config check
FILE` tells all faults at once, and `fullmakt config show` what is in force. A setting that does not exist is a fault.
"""
_NAMES = {int: "integer", str: "text", bool: "`true` or `false`", Path: "path", SecretStr: "text"}


def reference() -> str:
    """The page, in Markdown."""
    return _HEAD + "".join(_section(model, name) for name, model in _sections())


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    yield "", Settings
    for name, field in Settings.model_fields.items():
        if _is_section(field):
            yield name, field.annotation  # type: ignore[misc]


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _section(model: type[BaseModel], name: str) -> str:
    about = " ".join(inspect.cleandoc(model.__doc__ or "").split())
    title = f"`[{name}]`" if name else "At the top level"
    rows = "".join(_row(field, key, name) for key, field in model.model_fields.items() if not _is_section(field))
    head = "| setting | what it is | values | default | in the environment |\n|---|---|---|---|---|\n"
    return f"\n## {title}\n\n{_markdown(about)}\n\n{head}{rows}"


def _row(field: FieldInfo, key: str, section: str) -> str:
    variable = "__".join(part.upper() for part in ("FULLMAKT", section, key) if part).replace("__", "_", 1)
    what = _markdown(" ".join((field.description or "").split()))
    return f"| `{key}` | {what} | {_values(field)} | {_default(field.default)} | `{variable}` |\n"


def _markdown(text: str) -> str:
    """A docstring's text as Markdown."""
    return text.replace("``", "`").replace("|", "\\|")


def _values(field: FieldInfo) -> str:
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    match bounds:
        case {"ge": least, "le": most}:
            return f"{_type(field.annotation)}, {least} to {most}"
        case {"ge": least}:
            return f"{_type(field.annotation)}, at least {least}"
        case _:
            return _type(field.annotation)


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(each) for each in arguments if each is not types.NoneType)
    if origin in (tuple, frozenset):
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    return _NAMES[annotation]


def _default(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case tuple() | frozenset():
            return "`[]`"
        case dict():
            return "`{}`"
        case _:
            return f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
