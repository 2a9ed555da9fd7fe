"""Tables of text, and sentences, that fit the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ekslab.printing.terminal import clean, columns

_GAP = 2
#: No column is cut to less, and no text is wrapped into less.
_NARROWEST, _LEAST_TEXT = 8, 28


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    fit: int | None = None,
    keep: Collection[str] = (),
    wrap: bool = False,
) -> Iterator[str]:
    """Columns as wide as their longest cell; with `fit`, the widest are cut until a line has at most this many characters.

    `keep`: columns by their heads that are cut last, because people copy them. `wrap`: the last column is text, and goes on in
    the lines below instead of being cut.
    """
    cells = [[clean(str(cell if cell is not None else "-")) for cell in row] for row in [head, *rows]]
    widths = [max(columns(row[column]) for row in cells) for column in range(len(head))]
    if fit is not None:
        if wrap:
            room = fit - sum(widths[:-1]) - _GAP * (len(widths) - 1)
            widths[-1] = min(widths[-1], max(room, _LEAST_TEXT))
        cut = range(len(head) - wrap)
        _shrink(widths, fit, [column for column in cut if head[column] not in keep])
        _shrink(widths, fit, [*cut])
    for row in cells:
        yield from _lines(row, widths, wrap and fit is not None)


def sentence(text: str, fit: int | None = None, indent: int = 0) -> Iterator[str]:
    """A text in lines of at most `fit` columns; all but the first begin after `indent` columns. Words too long stay whole."""
    yield from _wrapped(clean(text), fit, " " * indent)


def _lines(row: Sequence[str], widths: Sequence[int], wrap: bool) -> Iterator[str]:
    gap = " " * _GAP
    if not wrap:
        yield gap.join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        return
    before = "".join(f"{_padded(cell, width)}{gap}" for cell, width in zip(row[:-1], widths[:-1], strict=True))
    texts = list(_wrapped(row[-1], widths[-1], "")) or [""]
    yield f"{before}{texts[0]}".rstrip()
    yield from (f"{' ' * columns(before)}{text}" for text in texts[1:])


def _wrapped(text: str, width: int | None, indent: str) -> Iterator[str]:
    """The wrapped text; its leading spaces stay as an indent."""
    if width is None:
        yield text
        return
    line = " " * (len(text) - len(text.lstrip(" ")))
    for word in text.lstrip(" ").split(" "):
        longer = f"{line} {word}" if line.strip() else f"{line}{word}"
        if line.strip() and columns(longer) > width:
            yield line
            longer = f"{indent}{word}"
        line = longer
    yield line


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
