"""Check the parts of a config against each other, before anything is built to stay or written."""

from collections.abc import Mapping, Sequence
from itertools import chain

from mmengine.config import Config

from dyrelu_pose.models.input_size import decoder_input_size

from .datasets import KeypointDataset, keypoint_datasets
from .evaluators import check_evaluators, converts
from .keypoints import check_head, check_metainfo, check_order
from .monitors import check_monitors
from .optimizer import check_optimizer
from .outputs import ModelRun, build_and_run, check_decoder, check_encoders, check_loss, input_sizes
from .parts import later_pipelines
from .rehearsal import rehearse, rehearse_head


def check_agreement(cfg: Config, splits: Sequence[str]) -> None:
    """Check that data sets, codecs, head, loss, optimizer, evaluators and hooks agree.

    The model is built without values, a sample of each data set goes through its pipeline, and
    annotation files that are evaluated are read. A config without keypoint data sets is left alone.

    Args:
        cfg: The config.
        splits: What is used of it: 'train', 'val', 'test'.

    Raises:
        AnnotationError: What is evaluated cannot be; the message names the file and the entry.
        ConfigError: Two parts do not agree; the message names their keys, and what is there.
    """
    datasets = {split: keypoint_datasets(cfg, split) for split in splits}
    for dataset in chain(*datasets.values()):
        check_metainfo(dataset)
    unconverted = [
        dataset
        for split, part in datasets.items()
        if split == "train" or not converts(cfg, split)
        for dataset in part
    ]
    check_order(unconverted)
    sizes = input_sizes(cfg, datasets)
    has_head = any(datasets.values()) and isinstance(cfg.model.get("head"), dict)
    runs = _run_model(cfg, datasets, sizes, unconverted) if has_head else {}
    samples = {
        split: rehearse(cfg, split, sizes[split]) for split, part in datasets.items() if part
    }
    if datasets.get("train"):
        for later in later_pipelines(cfg):
            rehearse(cfg, "train", sizes["train"], later)
    if runs:
        model = runs[splits[0]].model
        features = {split: run.features for split, run in runs.items()}
        rehearse_head(cfg, model, features, samples)
        if "train" in splits:
            check_optimizer(cfg, model)
    for split, part in datasets.items():
        if split != "train" and part:
            names = check_evaluators(cfg, split, part, samples.get(split))
            if names is not None and "train" in splits:
                check_monitors(cfg, names)


def _run_model(
    cfg: Config,
    datasets: Mapping[str, Sequence[KeypointDataset]],
    sizes: Mapping[str, tuple[int, int] | None],
    unconverted: Sequence[KeypointDataset],
) -> dict[str, ModelRun]:
    """Run the model on an image of each split, check head, codecs and loss, and return the runs."""
    head, decoded = cfg.model.head, decoder_input_size(cfg.model.head)
    by_size = {size: build_and_run(cfg, size) for size in dict.fromkeys([decoded, *sizes.values()])}
    runs = {split: by_size[size] for split, size in sizes.items()}
    built = getattr(by_size[decoded].model, "head", None)
    if unconverted:
        check_head(built, unconverted)
    evaluated = [dataset for split in datasets if split != "train" for dataset in datasets[split]]
    check_decoder(head, by_size[decoded].output, evaluated)
    for split, part in datasets.items():
        for dataset in part:
            check_encoders(runs[split].output, dataset)
    for dataset in datasets.get("train", ()):
        check_loss(head, built, runs["train"].output, dataset)
    return runs
