"""Faults of config.toml in the operator's words: the key as it is written, its value, and what is allowed.

pydantic finds the faults; this module looks up the field at the place of each (its allowed values and an
example stand beside the field in shared/config.py) and says it in one line.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from tomllib import TOMLDecodeError
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from shared.config_lines import TomlPath

Fault = tuple[TomlPath, str]

_VALUE_LENGTH_MAX = 60
_KEYS_NAMED_MAX = 9
_REFERENCE = "docs/configuration.md"


def describe(error: ValidationError, root: type[BaseModel], data: Mapping[str, Any]) -> list[Fault]:
    """One fault (path in the file, text) for everything that `root` has against `data`."""
    return [_fault(detail, root, data) for detail in error.errors(include_url=False)]


def syntax_fault(error: TOMLDecodeError, text: str) -> str:
    """`LINE: ...` for a text that is not TOML."""
    found = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
    line, column = found.groups() if found else (str(text.count("\n") + 1), "")
    what = re.sub(r" \(at .*\)$", "", str(error))
    where = f", column {column}" if column else " at the end of the file"
    return f"{line}: not valid TOML: {what}{where}"


def key_text(path: TomlPath, data: Mapping[str, Any]) -> str:
    """The key as a person reads it: `risk.price_collar_pct`, `strategy[sma].allocation`."""
    text = ""
    for depth, part in enumerate(path):
        if isinstance(part, int):
            element = value_at(data, path[: depth + 1])
            name = element.get("name") if isinstance(element, Mapping) else None
            text += f"[{name if isinstance(name, str) and name else part + 1}]"
        else:
            text += f".{part}" if text else part
    return text


def value_at(data: object, path: TomlPath) -> object:
    """The value at `path`, or None where there is none (TOML itself has no null)."""
    for part in path:
        match data:
            case dict():
                data = data.get(part)
            case list() if isinstance(part, int) and part < len(data):
                data = data[part]
            case _:
                return None
    return data


def as_toml(value: object) -> str:
    """A value about as the file has it, cut to a readable length."""
    if isinstance(value, str | bool | int | list):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = "{...}" if isinstance(value, Mapping) else str(value)
    return text if len(text) <= _VALUE_LENGTH_MAX else f"{text[:_VALUE_LENGTH_MAX]}..."


def _fault(detail: ErrorDetails, root: type[BaseModel], data: Mapping[str, Any]) -> Fault:
    loc, kind = detail["loc"], detail["type"]
    path = _path_in_file(loc, data)
    if kind == "extra_forbidden":
        table = _tables_of(_annotation_at(root, loc[:-1]))[0]
        return path, f"{key_text(path, data)}: unknown key, {_hint(str(path[-1]), table)}"
    field = _field_at(root, loc)
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        path = (*path, "method")
        allowed = _methods(field)
    else:
        allowed = _allowed(path, field, with_kind=kind.endswith("_type"))
    key = key_text(path, data)
    if kind == "union_tag_not_found":
        return path, f"{key}: missing, must be {allowed}"
    if kind == "missing":
        return path, f"{key}: missing{_wanted(path, field)}"
    return path, f"{key} = {as_toml(value_at(data, path))}: must be {allowed}"


def _path_in_file(loc: TomlPath, data: object) -> TomlPath:
    """`loc` without what pydantic adds to it: the tag of a union, which is a value and not a key."""
    path: TomlPath = ()
    for depth, part in enumerate(loc):
        if depth == len(loc) - 1 or value_at(data, (*path, part)) is not None:
            path = (*path, part)
    return path


def _hint(name: str, table: type[BaseModel]) -> str:
    known = list(_fields_by_key(table))
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"allowed: {_first(known)}"


def _first(words: list[str]) -> str:
    """The words, or as many as a person reads."""
    rest = len(words) - _KEYS_NAMED_MAX
    shown = ", ".join(words[:_KEYS_NAMED_MAX])
    return f"{shown} and {rest} more ({_REFERENCE})" if rest > 1 else ", ".join(words)


def _wanted(path: TomlPath, field: FieldInfo) -> str:
    """What to write where something is missing: for a table all that it needs, for a key an example."""
    tables = _tables_of(field.annotation)
    if not tables:
        example = _example(str(path[-1]), field)
        return f", must be {_allowed(path, field, with_kind=True)}, for example {example}"
    required = {key: inner for key, inner in tables[0].model_fields.items() if inner.is_required()}
    examples = [_example(key, inner) for key, inner in required.items() if not _tables_of(inner.annotation)]
    return f" table {_header(path, field)}, it needs {_first(examples)}"


def _allowed(path: TomlPath, field: FieldInfo, *, with_kind: bool) -> str:
    if _tables_of(field.annotation):
        return f"a table, written {_header(path, field)}"
    words = field.json_schema_extra
    assert isinstance(words, dict), path
    kind, allowed = words["kind"], words["allowed"]
    return f"{kind}, {allowed}" if with_kind and kind and allowed else f"{allowed or kind}"


def _header(path: TomlPath, field: FieldInfo) -> str:
    dotted = ".".join(part for part in path if isinstance(part, str))
    return f"[[{dotted}]]" if get_origin(field.annotation) is tuple and isinstance(path[-1], str) else f"[{dotted}]"


def _example(name: str, field: FieldInfo) -> str:
    value = field.examples[0] if field.examples else get_args(field.annotation)[0]
    return f"{name} = {as_toml(value)}"


def _methods(field: FieldInfo) -> str:
    return " or ".join(as_toml(_tag(table)) for table in _tables_of(field.annotation))


def _tag(table: type[BaseModel]) -> str:
    """The value of `method` that a table of a union stands for."""
    return str(get_args(table.model_fields["method"].annotation)[0])


def _tables_of(annotation: object) -> list[type[BaseModel]]:
    """The tables an annotation allows: a key none, a section or its array one, a union several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for part in get_args(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]


def _field_at(root: type[BaseModel], loc: TomlPath) -> FieldInfo:
    annotation = _annotation_at(root, loc[:-1])
    last = loc[-1]
    if isinstance(last, str) and (tables := _tables_of(annotation)):
        return _fields_by_key(tables[0])[last]
    return FieldInfo.from_annotation(_element_of(annotation))


def _annotation_at(root: type[BaseModel], loc: TomlPath) -> Any:  # noqa: ANN401 - typing knows no better
    """The annotation at pydantic's `loc`, whose parts are keys, positions and tags of unions."""
    annotation: Any = root
    for part in loc:
        tables = _tables_of(annotation)
        if isinstance(part, int) or not tables:
            annotation = _element_of(annotation)
        elif len(tables) > 1:
            annotation = next(table for table in tables if _tag(table) == part)
        else:
            annotation = _fields_by_key(tables[0])[part].annotation
    return annotation


def _element_of(annotation: object) -> Any:  # noqa: ANN401 - an annotation may be anything
    """The type of the elements of a tuple or of the values of a dict."""
    arguments = get_args(annotation)
    return arguments[1] if get_origin(annotation) is dict else arguments[0]


def _fields_by_key(table: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in table.model_fields.items()}
