"""Strict YAML: one document of mappings, lists, texts, numbers and truth values, each key once, nothing by reference.

Narrower than YAML 1.1 where that surprises: dates, base-60 numbers and octals with a leading zero stay texts.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode

from chalicelib.api.inputs.body import line_and_column, refusal, whole_number
from chalicelib.domain.core.sentence import Sentence, joined

_TAG = "tag:yaml.org,2002:"
_DEEPEST = 60


def read_yaml(text: str) -> object:
    """Parse a text. Raises InvalidRequest."""
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_data()
    except yaml.MarkedYAMLError as reason:
        mark = reason.problem_mark or reason.context_mark
        place = Sentence("at {where}", where=line_and_column(mark.line + 1, mark.column + 1)) if mark else ""
        problem = joined((reason.context or "", reason.problem or ""))
        raise refusal(
            "malformed-yaml", "Not YAML that is read here: {problem}.", problem=joined((problem, place), ", ")
        ) from reason
    except yaml.reader.ReaderError as reason:
        number = reason.position + 1
        raise refusal(
            "malformed-yaml", "Not YAML: a character that YAML does not allow, at character {number}.", number=number
        ) from reason
    finally:
        if loader is not None:
            loader.dispose()


class _Loader(yaml.SafeLoader):
    """Refuses references and depth while composing, repeated and odd keys while constructing."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Compose a node, but no aliases, no tags, and not too deep."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML leaves it bare
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise ComposerError(None, None, Sentence("aliases (*) are not taken: write the value out"), mark)
        if getattr(event, "tag", None) is not None:
            raise ComposerError(None, None, Sentence("tags (!) are not taken: leave it out"), mark)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ComposerError(None, None, Sentence("too many levels within each other"), mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, object]:
        """Construct a mapping, but only with text keys, each once."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, ScalarNode) or key_node.tag != f"{_TAG}str":
                raise ConstructorError(
                    None, None, Sentence("keys are texts: put this one in quotes"), key_node.start_mark
                )
            if key_node.value in seen:
                message = Sentence("the field {key} is there twice in one mapping", key=repr(key_node.value))
                raise ConstructorError(None, None, message, key_node.start_mark)
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)

    def construct_whole_number(self, node: ScalarNode) -> float:
        """A decimal whole number; infinity if it is too long."""
        return whole_number(node.value.replace("_", ""))


def _constructors() -> dict[str | None, object]:
    """The constructors of plain values; every other tag is refused as unknown."""
    plain = {f"{_TAG}{name}" for name in ("null", "bool", "float", "str", "seq", "map")}
    kept = {tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag in plain or tag is None}
    return {**kept, f"{_TAG}int": _Loader.construct_whole_number}


_Loader.yaml_constructors = _constructors()
_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in (
    ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    ("int", r"[-+]?(0|[1-9][0-9_]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?([0-9][0-9_]*\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,2})?|[-+]?[0-9]+[eE][-+]?[0-9]{1,2}",
        "-+0123456789.",
    ),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
):
    _firsts = [*_first, ""] if _name == "null" else [*_first]
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"^(?:{_pattern})$"), _firsts)
