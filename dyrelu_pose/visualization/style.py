"""The look of this project's charts."""

from matplotlib.figure import Figure

WRITTEN = (".png", ".jpg", ".pdf", ".svg")  # endings of files that a chart can be written to
INK, GREY = "#333333", "#999999"
GRID, SHADE = "#DDDDDD", "#F1F1F1"
# Okabe and Ito's colors, told apart with any color vision.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = COLORS
DIVERGING = "PuOr_r"  # color map: orange above the middle, purple below, told apart likewise
# Names of files and configs are not formulas, whatever stands between two dollars.
TITLE = dict(loc="left", fontweight="bold", color=INK, parse_math=False)


def new_figure(width: float, height: float, dpi: int = 150) -> Figure:
    """Return a figure of so many inches, whose parts keep out of each other's way."""
    return Figure(figsize=(width, height), dpi=dpi, layout="constrained")


def finish(axes, title: str = "", across: str = "", up: str = "", grid: str = "both") -> None:
    """Give axes a title and labels, and take away what is not needed.

    Args:
        axes: Matplotlib's axes, when all is drawn.
        title: Title, at the left.
        across: Label of the x axis.
        up: Label of the y axis.
        grid: Axis that has lines: `'x'`, `'y'`, `'both'`, or `'none'`.
    """
    axes.set_title(title, fontsize=11, **TITLE)
    axes.set_xlabel(across, fontsize=11, color=INK)
    axes.set_ylabel(up, fontsize=11, color=INK)
    axes.tick_params(labelsize=10, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    if grid != "none":
        axes.grid(axis=grid, color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)


def headline(figure: Figure, text: str) -> None:
    """Write what a whole figure is about above it."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=12, color=INK, parse_math=False)


def legend(owner, **place) -> None:
    """Add the legend of axes, or of a figure, at a `loc`, of all `handles` or of some."""
    made = owner.legend(frameon=False, fontsize=10, labelcolor=INK, **place)
    for text in made.get_texts():
        text.set_parse_math(False)
