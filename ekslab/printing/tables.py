"""Tables of text that fit the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ekslab.printing.terminal import clean, columns

_GAP = 2
#: No column is cut to less.
_NARROWEST = 8


def table(
    head: Sequence[str], rows: Sequence[Sequence[object]], fit: int | None = None, keep: Collection[str] = ()
) -> Iterator[str]:
    """Columns as wide as their longest cell; with `fit`, the widest are cut until a line takes no more columns than that.

    `keep`: columns by their heads that are cut last, because people copy them.
    """
    cells = [[clean(str(cell if cell is not None else "-")) for cell in row] for row in [head, *rows]]
    widths = [max(columns(row[column]) for row in cells) for column in range(len(head))]
    if fit is not None:
        _shrink(widths, fit, [column for column, name in enumerate(head) if name not in keep])
        _shrink(widths, fit, [*range(len(head))])
    for row in cells:
        yield (" " * _GAP).join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _shrink(widths: list[int], fit: int, may: Sequence[int]) -> None:
    over = sum(widths) + _GAP * (len(widths) - 1) - fit
    while over > 0:
        widest = max((column for column in may if widths[column] > _NARROWEST), key=widths.__getitem__, default=None)
        if widest is None:
            return
        widths[widest] -= 1
        over -= 1


def _padded(cell: str, width: int) -> str:
    if columns(cell) > width:
        while columns(cell) > width - 3:
            cell = cell[:-1]
        cell += "..."
    return cell + " " * (width - columns(cell))
