"""The page that shows the figures: one HTML file beside them, which needs no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATE = "page.html"
TABLE, SLOPES = "coefficients.csv", "slopes.png"  # beside the page, if there is a DyReLU


@dataclass(frozen=True)
class Section:
    """What the page says about one site.

    Attributes:
        name: The site.
        layer: Class name of its activation.
        band: File of its input-output figure.
        channel: Channel of that figure.
        conditional_std: Std of the outputs at equal input, as a fraction of that of the outputs.
        functions: File of the functions of two images, None unless it is a DyReLU.
        maps: File of its spatial maps, None unless it is a DyReLU-C.
    """

    name: str
    layer: str
    band: str
    channel: int
    conditional_std: float
    functions: str | None = None
    maps: str | None = None


def write_page(
    out: Path,
    config: str,
    checkpoint: str,
    images: int,
    rows: Sequence[dict],
    sections: Sequence[Section],
) -> None:
    """Write the page.

    Args:
        out: The HTML file. All other files are named relative to its folder.
        config: What the model is called.
        checkpoint: What its weights are called.
        images: Number of images.
        rows: Rows of `statistics`, one for each DyReLU.
        sections: The sites that are drawn.
    """
    environment = Environment(
        loader=PackageLoader("dyrelu_pose.inspection", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    k = max(((sum(key.endswith("_std_images") for key in row) - 1) // 2 for row in rows), default=0)
    coefficients = [f"{name}{i + 1}" for name in "ab" for i in range(k)]
    text = environment.get_template(TEMPLATE).render(
        config=config,
        checkpoint=checkpoint,
        images=images,
        rows=rows,
        coefficients=coefficients,
        sections=sections,
        slope_gaps=SLOPES,
        table=TABLE,
    )
    out.write_text(text, encoding="utf-8")
