"""The page: its parts, and what each of them asks the models. Needs Gradio."""

import html
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gradio as gr  # pyright: ignore[reportMissingImports]  (an optional package)
from gradio import processing_utils  # pyright: ignore[reportMissingImports]
from matplotlib.figure import Figure
from PIL import Image

from dyrelu_pose.errors import UserError

from .models import PageModel
from .people import People
from .uploads import read_upload, uploaded_path

TITLE = "dyrelu_pose"
SCORE = 0.3  # lowest score of a drawn keypoint, as of tools/demo.py
RESULTS = "keypoints.json"
FIGURES = 2  # most figures of a site
KEPT = 3600  # seconds that pictures and results stay after their last use
SWEEP = 600  # seconds between two looks for what is older
FONTS = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")  # nothing is fetched

# Figures are made for a wide page: on a narrow one they scroll, which keeps them legible.
CSS = """
.figure .image-frame, .figure .image-container, .figure button { overflow-x: auto; }
#site input { padding-right: 32px; text-overflow: ellipsis; }
@media (max-width: 640px) {
  .wide .image-frame { justify-content: flex-start; }
  .wide img { min-width: 700px; }
}
"""


def theme() -> gr.themes.Base:
    """Return the look of the page: Gradio's, in fonts that the reader's system has."""
    plain, mono = ([gr.themes.Font(name) for name in names] for names in FONTS)
    return gr.themes.Default(primary_hue="blue", font=plain, font_mono=mono)


class Page:
    """The page of one or several models.

    Args:
        models: The models; the first is the one that is shown at first.

    Attributes:
        blocks: Gradio's page.
    """

    def __init__(self, models: Sequence[PageModel]) -> None:
        self.models: dict[str, PageModel] = {}
        for model in models:
            name = model.name
            self.models[f"{name}, twin" if name in self.models else name] = model
        self.blocks = gr.Blocks(
            title=TITLE, analytics_enabled=False, delete_cache=(SWEEP, KEPT), fill_width=False
        )
        with self.blocks:
            self._lay_out(models[0])
            self._connect()

    def _lay_out(self, first: PageModel) -> None:
        """Lay out the page."""
        detects = first.pose.detector is not None
        gr.Markdown(f"# {TITLE}\nKeypoints of the people in a picture, found on this machine.")
        if not detects:
            gr.Markdown(
                "There is no detector: **the picture is taken for one person.** Started with "
                "`--detector FILE.onnx`, the page finds several."
            )
        with gr.Row(equal_height=False):
            with gr.Column(min_width=320):
                self.upload = gr.Image(
                    label="Picture: drop it here, or take one",
                    sources=["upload", "webcam", "clipboard"],
                    type="filepath",
                    height=320,
                    elem_id="upload",
                )
                without_downloads(self.upload)
                self.model = gr.Radio(
                    list(self.models),
                    value=next(iter(self.models)),
                    label="Model",
                    visible=len(self.models) > 1,
                    elem_id="model",
                )
                self.score = gr.Slider(
                    0, 1, SCORE, step=0.01,
                    label="Score: keypoints below it are not drawn",
                    elem_id="score",
                )  # fmt: skip
            with gr.Column(min_width=320):
                self.drawn = gr.Image(
                    label="Skeletons",
                    alt_text="The picture with the skeletons of its people",
                    interactive=False,
                    buttons=["download", "fullscreen"],
                    elem_id="drawn",
                )
                self.said = gr.Markdown(elem_id="said")
                gr.Markdown("Blue is the person's right, orange the left.")
                self.results = gr.DownloadButton(
                    "Keypoints as JSON", interactive=False, elem_id="results"
                )
        gr.Markdown("## What a site does with this picture")
        self.site = gr.Dropdown(
            label="Site: an activation of the network", elem_id="site", **_sites(first)
        )
        self.figures = [
            gr.Image(
                show_label=False,
                alt_text="What the site does with the people of the picture",
                visible=False,
                interactive=False,
                buttons=["download", "fullscreen"],
                elem_id=f"figure{number}",
                elem_classes=["figure"],
            )
            for number in range(FIGURES)
        ]
        self.people = gr.State(None, time_to_live=KEPT)

    def _connect(self) -> None:
        """Connect the parts of the page: what is called when one changes."""
        found = [self.people, self.drawn, self.said, self.results]
        # Not preprocessed: Gradio decodes pictures, of whatever size, and damage is a traceback.
        asked = dict(inputs=[self.upload, self.model, self.score], outputs=found, preprocess=False)
        looked = dict(
            fn=self.look, inputs=[self.people, self.model, self.site], outputs=self.figures
        )
        hidden = dict(api_visibility="private")
        self.site.input(**looked, api_name="look")
        self.upload.change(self.find, **asked, api_name="find").then(**looked, **hidden)
        switched = self.model.change(self.choose, [self.model, self.site], self.site, **hidden)
        switched.then(self.find, **asked, **hidden).then(**looked, **hidden)
        self.score.change(
            self.draw, [self.people, self.score], [self.drawn, self.said],
            trigger_mode="always_last", show_progress="hidden", api_name="draw",
        )  # fmt: skip

    def find(self, upload: dict | None, model: str, score: float) -> Iterator[tuple]:
        """Find the people of a picture, and yield what the page shows of them.

        Args:
            upload: Gradio's description of the file.
            model: Name of a model.
            score: Lowest score of a drawn keypoint.

        Raises:
            gradio.Error: The file is not a picture, cannot be read, or was not uploaded.
        """
        nothing = None, None, "", gr.update(value=None, interactive=False)
        yield nothing  # of the picture before, whatever comes of this one
        if upload is None:
            return
        name = str(upload.get("orig_name") or "picture")
        with shown_errors():
            # Gradio looks at paths only where the request calls them files.
            path = uploaded_path(upload.get("path"), self.upload.GRADIO_CACHE)
            found = self._model(model).find(read_upload(path), name)
        content = json.dumps(found.entries).encode()
        file = processing_utils.save_bytes_to_cache(content, RESULTS, self.results.GRADIO_CACHE)
        results = gr.update(value=file, interactive=True)
        yield found, *self.draw(found, score), results

    def draw(self, people: People | None, score: float) -> tuple:
        """Return the drawn picture and what is said about it, at a score."""
        return (None, "") if people is None else (people.draw(score), people.sentence(score))

    def choose(self, model: str, site: str) -> dict:
        """Return the list of a model's sites, at the same site as before if it has that one."""
        return gr.update(**_sites(self._model(model), site))

    def look(self, people: People | None, model: str, site: str) -> list[dict]:
        """Return the figures of a site, for the people of the picture."""
        chosen = self._model(model)
        if site not in chosen.sites:
            raise refused(f"{site} is not a site of this model")
        with shown_errors():
            figures = [] if people is None else chosen.figures(site, people)
        shown = [
            gr.update(value=as_picture(figure), visible=True, elem_classes=_classes(figure))
            for figure in figures
        ]
        return [*shown, *[gr.update(value=None, visible=False)] * (FIGURES - len(shown))]

    def _model(self, name: str) -> PageModel:
        if name not in self.models:
            raise refused(f"{name} is not a model of this page")
        return self.models[name]


def _sites(model: PageModel, site: str | None = None) -> dict:
    """Return choices and value of the list of sites."""
    choices = [(model.describe(name), name) for name in model.sites]
    return dict(choices=choices, value=site if site in model.sites else model.first_site)


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show a `UserError` on the page.

    Raises:
        gradio.Error: The same, in HTML.
    """
    try:
        yield
    except UserError as error:
        raise refused(str(error)) from error


def without_downloads(part: gr.Image) -> None:
    """Keep a part of the page from fetching an address that it is given instead of a file."""
    keep = part.async_move_resource_to_block_cache

    async def keep_file(path: str | Path | None) -> str | None:
        if re.match("https?:", str(path)):
            raise refused("a picture is uploaded as a file, not as an address")
        return await keep(path)

    part.async_move_resource_to_block_cache = keep_file


def refused(message: str) -> gr.Error:
    """Return an error that the page shows, as HTML, until somebody closes it."""
    return gr.Error(html.escape(message), duration=None, print_exception=False)


def _classes(figure: Figure) -> list[str]:
    width, _ = figure.get_size_inches()
    return ["figure", "wide"] if width > 6 else ["figure"]


def as_picture(figure: Figure) -> Image.Image:
    """Return a figure as a picture."""
    file = io.BytesIO()
    figure.savefig(file)
    return Image.open(file)
