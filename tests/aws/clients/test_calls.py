"""One way to call AWS: a missing list in an answer is not an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.aws.clients.calls import every


@dataclass(frozen=True)
class Pages:
    """A client whose only paginator returns these pages."""

    pages: tuple[Any, ...]

    def get_paginator(self, _method: str) -> Pages:
        return self

    def paginate(self, **_request: Any) -> Iterator[Any]:
        return iter(self.pages)


def test_all_rows_of_all_pages() -> None:
    assert every(Pages(({"Volumes": [1]}, {"Volumes": []}, {"Volumes": [2]})), "ec2:DescribeVolumes", "Volumes") == [
        1,
        2,
    ]


@pytest.mark.parametrize("page", [{}, {"volumes": [1]}])
def test_a_page_without_its_list_is_an_error_and_not_empty(page: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        every(Pages(({"Volumes": [1]}, page)), "ec2:DescribeVolumes", "Volumes")
