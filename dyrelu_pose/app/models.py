"""A model of the page: what it finds in a picture, and what its activations do there."""

from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure
from torch.utils.data import Dataset, Subset

from dyrelu_pose.config.load import load_model_config
from dyrelu_pose.datasets.detections import PERSON
from dyrelu_pose.detection import PersonDetector
from dyrelu_pose.inference import PoseInferencer
from dyrelu_pose.inference.files import image_ids
from dyrelu_pose.inference.outputs import coco_results
from dyrelu_pose.inspection import choose_sites, collect, find_sites
from dyrelu_pose.inspection.figures import draw_band, draw_functions, draw_maps
from dyrelu_pose.inspection.statistics import widest_channel
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.placement import Site
from dyrelu_pose.visualization.skeletons import Skeleton

from .people import People, places, shown_size

# Of all models: they share a detector, and neither hooks nor OpenCV's networks are for several
# threads at a time.
_ONE_AT_A_TIME = Lock()


class PageModel:
    """A trained top-down pose model and its activation sites.

    Args:
        config: Its config file.
        checkpoint: Its weights.
        device: Where it runs; by default a GPU if there is one.
        detector: Finds the people of a picture. None: a picture is taken for one person.

    Attributes:
        name: What the page calls it: its activation and its config.
        sites: Its sites by name, those with a DyReLU if there are any, in running order.
        first_site: Name of the site that is looked at first.

    Raises:
        UserError: See `PoseInferencer`; or the model has no site.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        device: str | None = None,
        detector: PersonDetector | None = None,
    ) -> None:
        cfg = load_model_config(str(config))
        self.pose = PoseInferencer(cfg, checkpoint, device, detector=detector)
        sites = find_sites(self.pose.model, input_size_of(cfg))
        self.first_site = choose_sites(self.pose.model, sites)[-1].name
        dynamic = [site for site in sites if isinstance(self._layer(site), DyReLU)]
        self.sites = {site.name: site for site in dynamic or sites}
        self.name = f"{'DyReLU' if dynamic else 'ReLU twin'} ({Path(config).stem})"
        self.skeleton = skeleton_of(self.pose.person_input.meta)

    def _layer(self, site: Site):
        return self.pose.model.get_submodule(site.name)

    def describe(self, name: str) -> str:
        """Return what the list of sites says of one."""
        site = self.sites[name]
        size = "x".join(map(str, site.size))
        return f"{name}: {type(self._layer(site)).__name__}, {site.channels} channels, {size}"

    def find(self, picture: np.ndarray, name: str) -> People:
        """Find the people of a picture.

        Args:
            picture: (H, W, 3) bytes, blue first.
            name: What its file is called.
        """
        with _ONE_AT_A_TIME:
            (sample,) = self.pose(picture)
        found: Any = sample.pred_instances  # its fields are set at run time
        crops = [
            self.pose.person_input(picture, box, Path(f"person {number}"))
            for number, box in enumerate(found.bboxes, 1)
        ]
        shown, scale = shown_size(picture)
        (number,) = image_ids([Path(name)])
        return People(
            np.ascontiguousarray(shown[..., ::-1]),
            *places(sample, scale),
            self.skeleton,
            self.pose.detector is not None,
            coco_results(sample, number, name, PERSON),
            crops,
        )

    def figures(self, name: str, people: People) -> list[Figure]:
        """Draw what a site does with the people of a picture.

        Args:
            name: The site.
            people: What this model or another of the page found.

        Returns:
            Of a DyReLU its functions and, of DyReLU-C, its map; of any other activation its output
            over its input. Nothing where there is nobody.
        """
        if not people.crops:
            return []
        site = self.sites[name]
        images = Subset(cast("Dataset[dict]", people.crops), range(len(people.crops)))
        with _ONE_AT_A_TIME:
            (record,), pictures = collect(self.pose.model, [site], [site], images)
        if not record.dynamic:
            return [draw_band(record, widest_channel(record))]
        figures = [draw_functions(record, pictures)]
        return [*figures, draw_maps(record, pictures)] if record.maps else figures


def skeleton_of(meta: dict) -> Skeleton:
    """Return the skeleton in MMPose's facts about keypoints."""
    names = meta["keypoint_id2name"]
    links = meta.get("skeleton_links") or ()
    return Skeleton(
        tuple(names[i] for i in range(len(names))), tuple((int(a), int(b)) for a, b in links)
    )
