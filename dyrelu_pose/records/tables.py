"""Tables of strings, for a terminal and for Markdown."""

from collections.abc import Sequence

Row = Sequence[str]


def text_table(header: Row, rows: Sequence[Row], right: Sequence[int] = ()) -> str:
    """Return a table of aligned columns, its header underlined.

    Args:
        header: Names of the columns.
        rows: As many cells each.
        right: Indices of the columns that are aligned to the right, as numbers are.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Row) -> str:
        padded = (
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(padded).rstrip()

    return "\n".join(map(line, (header, ["-" * width for width in widths], *rows)))


def markdown_table(header: Row, rows: Sequence[Row]) -> str:
    """Return a Markdown table."""
    lines = (header, ["---"] * len(header), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
