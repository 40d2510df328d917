"""YAML made strict: a key given twice is an error, and every place of a document has its line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from services.errors import InputError
from services.policy.reading import Problem


class _StrictLoader(yaml.CSafeLoader):
    """PyYAML's safe loader, but for a key given twice, of which it would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is given more than once", node.start_mark)
        return mapping


def parse_yaml(text: str) -> object:
    """Return the plain values of one YAML document; raise InputError with the line of what is no YAML."""
    try:
        return yaml.load(text, _StrictLoader)  # noqa: S506 - a safe loader, made stricter
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"is not good YAML: {error.problem}", place=f"line {line}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"is not good YAML: {type(error).__name__}", place="line 1") from None


def with_lines(problems: Iterable[Problem], text: str) -> list[Problem]:
    """Return the problems with the lines of their places in the YAML ``text``, in the order of the file."""
    root = yaml.compose(text, yaml.CSafeLoader)
    placed = [problem._replace(line=_line(root, problem.place)) for problem in problems]
    return sorted(placed, key=lambda problem: problem.line or 0)


def _line(node: yaml.Node | None, place: str) -> int | None:
    """Follow a path down the YAML nodes as far as it goes."""
    line = node.start_mark.line + 1 if node is not None else None
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place):
        child: yaml.Node | None = None
        if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
            child = node.value[int(index)]
        elif name and isinstance(node, yaml.MappingNode):
            child = next((value for key, value in node.value if key.value == name), None)
        if child is None:
            break
        node = child
        line = node.start_mark.line + 1
    return line
