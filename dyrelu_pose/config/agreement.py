"""Check the parts of a config against each other, before anything is built to stay or written."""

from collections.abc import Sequence

from mmengine.config import Config

from dyrelu_pose.models.input_size import decoder_input_size

from .datasets import keypoint_datasets
from .evaluators import check_evaluators, converts
from .keypoints import check_head, check_metainfo, check_order
from .monitors import check_monitors
from .optimizer import check_optimizer
from .outputs import build_and_run, check_decoder, check_encoders, check_loss, input_sizes
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
    everything = [dataset for part in datasets.values() for dataset in part]
    for dataset in everything:
        check_metainfo(dataset)
    unconverted = {
        split: part
        for split, part in datasets.items()
        if split == "train" or not converts(cfg, split)
    }
    check_order([dataset for part in unconverted.values() for dataset in part])
    head, model, made = cfg.model.get("head"), None, {}
    sizes = input_sizes(cfg, datasets)
    if everything and isinstance(head, dict):
        decoded = decoder_input_size(head)
        made = {
            size: build_and_run(cfg, size) for size in dict.fromkeys([decoded, *sizes.values()])
        }
        model, _, output = made[decoded]
        built = getattr(model, "head", None)
        for part in unconverted.values():
            check_head(built, part)
        evaluated = [dataset for split in splits if split != "train" for dataset in datasets[split]]
        check_decoder(head, output, evaluated)
        for split, part in datasets.items():
            for dataset in part:
                check_encoders(made[sizes[split]][2], dataset)
        for dataset in datasets.get("train", ()):
            check_loss(head, built, made[sizes["train"]][2], dataset)
    samples = {
        split: rehearse(cfg, split, sizes[split]) for split, part in datasets.items() if part
    }
    if datasets.get("train"):
        for later in later_pipelines(cfg):
            rehearse(cfg, "train", sizes["train"], later)
    if model is not None:
        features = {split: made[size][1] for split, size in sizes.items()}
        rehearse_head(cfg, model, features, samples)
        if "train" in splits:
            check_optimizer(cfg, model)
    for split, part in datasets.items():
        if split != "train" and part:
            names = check_evaluators(cfg, split, part, samples.get(split))
            if names is not None and "train" in splits:
                check_monitors(cfg, names)
