"""A deferred dataclass behaves like a dataclass; its cost arises only at its first use."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import chalicelib
from chalicelib.domain.core.deferred import dataclass, pattern

ROOM = Path(chalicelib.__file__).parent


def made() -> tuple[type[Any], type[Any]]:
    """Two unused classes."""

    @dataclass(frozen=True)
    class Point:
        x: int
        tags: list[str] = dataclasses.field(default_factory=list)

    @dataclass(frozen=True)
    class Named(Point):
        name: str = "a"

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("name")

    return Point, Named


def is_written(shape: type) -> bool:
    return "__eq__" in vars(shape)


def test_nothing_is_written_before_the_first_instance() -> None:
    point, named = made()
    assert not is_written(point)
    assert not is_written(named)
    named(x=1)
    assert is_written(point), "what it inherits from comes first"
    assert is_written(named)


def test_an_instance_is_as_of_the_standard_library() -> None:
    point, named = made()
    there = named(1, ["t"], name="b")
    assert there == named(1, ["t"], name="b")
    assert there != point(1, ["t"])
    assert "Named(x=1, tags=['t'], name='b')" in repr(there)
    assert named.__doc__ == "Named(x: 'int', tags: 'list[str]' = <factory>, name: 'str' = 'a')"
    assert dataclasses.replace(there, x=2) == named(2, ["t"], "b")
    assert point(1).tags is not point(1).tags
    with pytest.raises(dataclasses.FrozenInstanceError):
        there.x = 3
    with pytest.raises(ValueError, match="name"):
        named(1, name="")
    with pytest.raises(TypeError, match="x"):
        point()


@pytest.mark.parametrize(
    "ask",
    [
        lambda shape: [f.name for f in dataclasses.fields(shape)] == ["x", "tags"],
        dataclasses.is_dataclass,
        lambda shape: list(inspect.signature(shape).parameters) == ["x", "tags"],
    ],
)
def test_a_class_that_is_asked_first_answers_the_same(ask: Any) -> None:
    point, _ = made()
    assert ask(point)


def test_a_class_below_can_call_what_is_above() -> None:
    point, _ = made()

    class Below(point):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__(4)

    assert Below().x == 4


def test_a_class_below_that_is_no_dataclass_is_made_by_the_one_above() -> None:
    point, _ = made()
    below = type("Below", (point,), {})
    assert below(4).x == 4


def test_many_threads_make_the_first_instance_at_once() -> None:
    for _ in range(50):
        point, _named = made()
        with ThreadPoolExecutor(8) as threads:
            assert [each.x for each in threads.map(point, range(8))] == list(range(8))


def test_slots_are_refused() -> None:
    with pytest.raises(TypeError, match="slots"):

        @dataclass(frozen=True, slots=True)
        class Point:
            x: int


def modules() -> list[str]:
    return [found.name for found in pkgutil.walk_packages([str(ROOM)], "chalicelib.")]


def test_every_class_of_ours_can_be_written() -> None:
    """An error of `dataclasses` (a field without a default after one with) would otherwise appear at the first use."""
    shapes = [
        thing
        for module in map(importlib.import_module, modules())
        for thing in vars(module).values()
        if inspect.isclass(thing) and thing.__module__ == module.__name__ and "__dataclass_fields__" in vars(thing)
    ]
    assert len(shapes) > 150
    assert all(dataclasses.fields(shape) is not None for shape in shapes)


def test_no_module_takes_the_other_decorator() -> None:
    takers = [
        str(path.relative_to(ROOM))
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module == "dataclasses"
        and "dataclass" in {n.name for n in node.names}
    ]
    assert takers == ["domain/core/deferred.py"]


def test_a_pattern_finds_what_the_library_s_finds() -> None:
    """And an invalid expression raises at its first use."""
    early, late = re.compile(r"(a+)b", re.IGNORECASE), pattern(r"(a+)b", re.IGNORECASE)
    found = late.search("xAAb")
    assert found is not None
    assert found[1] == "AA"
    assert (late.pattern, late.groups, late.flags) == (early.pattern, early.groups, early.flags)
    assert late.fullmatch("b") is None
    with pytest.raises(re.error):
        pattern("(").search("")


def test_every_pattern_of_ours_compiles() -> None:
    kind: Any = pattern
    texts = [
        (module.__name__, name, thing.flags)
        for module in map(importlib.import_module, modules())
        for name, thing in vars(module).items()
        if isinstance(thing, kind)
    ]
    assert len(texts) > 40
