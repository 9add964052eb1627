"""Check that what a config evaluates can be evaluated, and find which metrics come out."""

import copy
from collections.abc import Callable, Sequence
from functools import cache
from inspect import isclass
from os.path import basename, realpath
from typing import TypeGuard

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation.evaluators import MultiDatasetEvaluator
from mmpose.evaluation.metrics import CocoMetric, CocoWholeBodyMetric, PoseTrack18Metric
from mmpose.registry import DATASETS, EVALUATORS, METRICS
from mmpose.structures import PoseDataSample

from dyrelu_pose.compat.xtcocotools import FIELDS
from dyrelu_pose.datasets.bad_entries import has_lists, read_annotations
from dyrelu_pose.datasets.truths import check_truths
from dyrelu_pose.errors import AnnotationError, UserError, described
from dyrelu_pose.evaluation.coco_metric import STATS
from dyrelu_pose.evaluation.heatmap_nll import HeatmapNLL

from .datasets import KeypointDataset
from .errors import ConfigError
from .parts import KNOWN, is_of, metrics, registered
from .quiet import quietly
from .rehearsal import Rehearsal

Read = Callable[[str], dict]  # of an annotation file

# Metrics of these modules need of a prediction its keypoints only, or heatmaps.
SIMPLE = ("mmpose.evaluation.metrics.keypoint_2d_metrics", HeatmapNLL.__module__)


def check_evaluators(
    cfg: Config, split: str, datasets: Sequence[KeypointDataset], rehearsal: Rehearsal | None
) -> list[str] | None:
    """Check the truths and the metrics of a split, and return the names of the metrics.

    Args:
        cfg: The config.
        split: 'val' or 'test'.
        datasets: Its keypoint data sets.
        rehearsal: A sample of them, if there is one.

    Returns:
        The names; None if there is a metric of which they cannot be known before it is computed.

    Raises:
        AnnotationError: A file of truths cannot be evaluated.
        ConfigError: A metric goes by another annotation file than the data set, cannot be computed,
            or has the name of another.
    """
    read = cache(_read_lists)  # each file once
    evaluator = cfg.get(f"{split}_evaluator")
    if not is_plain(evaluator):  # whose class says which metric is of which samples
        _check_shares(split, evaluator, datasets, rehearsal)
        return None
    names: list[str] = []
    all_known = True
    for key, metric in metrics(cfg, split):
        found, known = _check_metric(cfg, key, metric, datasets, rehearsal, read)
        if again := set(names).intersection(found):
            raise ConfigError(
                f"{key} of the config yields {min(again)}, as a metric before it does: give it a "
                "prefix"
            )
        names += found
        all_known = all_known and known
    return names if all_known else None


def _check_metric(
    cfg: Config,
    key: str,
    metric: dict,
    datasets: Sequence[KeypointDataset],
    rehearsal: Rehearsal | None,
    read: Read,
) -> tuple[list[str], bool]:
    """Check a metric, and return the names that it yields and whether these are all."""
    kind = registered(METRICS, metric)
    if isclass(kind) and issubclass(kind, CocoMetric):
        _build(key, metric)
        for dataset in datasets:
            _check_fields(key, metric, metric.get("ann_file") or dataset.ann_file, read)
    if _is_coco(kind) and metric.get("iou_type", "keypoints") == "keypoints":
        known = is_of(kind, KNOWN)  # a user's class may add some
        if metric.get("format_only"):
            return [], known
        _check_coco(key, metric, datasets, read)
        if not metric.get("ann_file"):
            _check_one_file(key, datasets, rehearsal, read)
        prefix = metric.get("prefix") or kind.default_prefix
        return [f"{prefix}/{name}" for name in STATS], known
    if getattr(kind, "__module__", None) in SIMPLE and rehearsal is not None:
        return _rehearse(cfg, rehearsal, key, metric), True
    return [], False


def converts(cfg: Config, split: str) -> bool:
    """Whether predictions or truths of a split change their number of keypoints on the way."""
    converters = ("pred_converter", "gt_converter")
    return bool(_output_keypoints(cfg)) or any(
        metric.get(name) for _, metric in metrics(cfg, split) for name in converters
    )


def _output_keypoints(cfg: Config) -> Sequence[int] | None:
    return (cfg.model.get("test_cfg") or {}).get("output_keypoint_indices")


def compares(cfg: Config, split: str) -> bool:
    """Whether predictions of a split are compared with truths, and not only written to files."""
    return not all(
        metric.get("format_only") or metric.get("type") == "DumpResults"
        for _, metric in metrics(cfg, split)
    )


def is_plain(evaluator: object) -> bool:
    """Whether MMEngine's own class computes the metrics of an evaluator, each of all samples."""
    if not (isinstance(evaluator, dict) and "metrics" in evaluator):
        return True
    return registered(EVALUATORS, {"type": "Evaluator", **evaluator}) is Evaluator


def _is_coco(kind: object) -> TypeGuard[type[CocoMetric]]:
    others = CocoWholeBodyMetric, PoseTrack18Metric  # of files with more, or other, entries
    return isclass(kind) and issubclass(kind, CocoMetric) and not issubclass(kind, others)


def _read_lists(path: str) -> dict:
    content = read_annotations(path)
    if not has_lists(content):
        raise AnnotationError(f"annotation file {path} is not in the COCO format")
    return content


def _check_shares(
    split: str, evaluator: dict, datasets: Sequence[KeypointDataset], rehearsal: Rehearsal | None
) -> None:
    """Check that each metric of a `MultiDatasetEvaluator` gets samples: it cannot do with none."""
    if rehearsal is None or registered(EVALUATORS, evaluator) is not MultiDatasetEvaluator:
        return
    names = {rehearsal.meta["dataset_name"]}
    if "dataset_name" in rehearsal.sample.metainfo_keys():
        names = {dataset.meta["dataset_name"] for dataset in datasets}
    for number, part in enumerate(evaluator.get("datasets") or ()):
        kind = registered(DATASETS, part)
        description = parse_pose_metainfo(getattr(kind, "METAINFO", None) or {})
        if (name := description.get("dataset_name")) not in names:
            raise ConfigError(
                f"{split}_evaluator.datasets.{number} of the config is {part.get('type')}, whose "
                f"dataset_name is {name}, and the samples of {split}_dataloader are of "
                f"{', '.join(sorted(names))}: its metric would get none (MultiDatasetEvaluator "
                "goes by what a class describes, not by metainfo)"
            )


def _check_one_file(
    key: str, datasets: Sequence[KeypointDataset], rehearsal: Rehearsal | None, read: Read
) -> None:
    """Check that a metric without a file of its own, which goes by that of one set, knows all."""
    if rehearsal is None:
        return
    name = rehearsal.meta["dataset_name"]
    of_name = [d.ann_file for d in datasets if d.meta["dataset_name"] == name]
    if of_name:
        path = of_name[-1]  # as the data sets leave it to the metric
        for dataset in datasets:
            goes_by = f"{key} of the config has no ann_file and goes by {path}"
            _check_pictures(goes_by, path, dataset, read)


def _check_coco(key: str, metric: dict, datasets: Sequence[KeypointDataset], read: Read) -> None:
    given = metric.get("ann_file")
    for dataset in datasets:
        path = given or dataset.ann_file
        if realpath(path) != realpath(dataset.ann_file):
            _check_pictures(f"{key}.ann_file of the config is {path}", path, dataset, read)
        if not len(dataset.meta["sigmas"]) and not metric.get("gt_converter"):
            raise ConfigError(f"{dataset.key}.metainfo has no sigmas, and {key} compares by them")
        count, use_area = dataset.meta["num_keypoints"], metric.get("use_area", True)
        check_truths(read(path), path, count, use_area)


def _check_fields(key: str, metric: dict, path: str, read: Read) -> None:
    """Check that a file has what COCO-WholeBody's and CrowdPose's metrics need more than COCO's."""
    fields: Sequence[str] = ()
    kind = registered(METRICS, metric)
    if isclass(kind) and issubclass(kind, CocoWholeBodyMetric):
        fields = FIELDS["keypoints_wholebody"]
    is_crowd = metric.get("iou_type") == "keypoints_crowd"
    if not (fields or is_crowd) or metric.get("format_only"):
        return
    content = read(path)
    entries = [entry for entry in content["annotations"] if {"keypoints", "bbox"} <= entry.keys()]
    wanted = [("annotation", entries, fields)]
    wanted.append(("image", content["images"], ("crowdIndex",) if is_crowd else ()))
    for what, of_kind, names in wanted:
        for name in names:
            if lacking := [entry["id"] for entry in of_kind if name not in entry]:
                raise AnnotationError(
                    f"annotation file {path}: {what} {lacking[0]} has no {name!r} (and "
                    f"{len(lacking) - 1} more), which {key} of the config, {metric['type']}, needs"
                )


def _check_pictures(goes_by: str, path: str, dataset: KeypointDataset, read: Read) -> None:
    """Check that an evaluator's annotation file knows the pictures that a data set shows."""
    own = read(dataset.ann_file)
    shown, listed = _pictures(own), _pictures(read(path))
    if dataset.config.get("data_mode") != "bottomup" and not dataset.config.get("bbox_file"):
        persons = {annotation["image_id"] for annotation in own["annotations"]}
        shown = {id: name for id, name in shown.items() if id in persons}
    for id, name in shown.items():
        if basename(listed.get(id, "")) != basename(name):
            found = f"is {listed[id]}" if id in listed else "is missing"
            raise ConfigError(
                f"{goes_by}, and {dataset.key} is of {dataset.ann_file}: image {id} of "
                f"the latter, {name}, {found} in the former"
            )


def _pictures(content: dict) -> dict[int, str]:
    """Return the file names of pictures by their ids."""
    return {image["id"]: image["file_name"] for image in content["images"]}


@quietly()
def _build(key: str, metric: dict) -> None:
    """Build a metric of COCO's kind without its annotation file.

    Raises:
        ConfigError: It cannot be: a package is missing, or an option is wrong.
    """
    try:
        METRICS.build({name: copy.deepcopy(metric[name]) for name in metric if name != "ann_file"})
    except Exception as error:  # the metric's own code
        raise ConfigError(f"{key} of the config cannot be built: {described(error)}") from error


@quietly()
def _rehearse(cfg: Config, rehearsal: Rehearsal, key: str, config: dict) -> list[str]:
    """Compute a metric of one sample whose truth is the prediction, and return what it yields.

    Raises:
        ConfigError: It cannot be computed.
    """
    metric = METRICS.build(copy.deepcopy(config))
    metric.dataset_meta = rehearsal.meta
    try:
        metric.process([], [copy.deepcopy(_predicted(rehearsal.sample, cfg))])
        return list(metric.evaluate(1))
    except UserError as error:
        raise ConfigError(f"{key} of the config: {error}") from error
    except Exception as error:  # the metric's own code
        raise ConfigError(
            f"{key} of the config, {type(metric).__name__}, cannot be computed: {described(error)}"
        ) from error


def _predicted(sample: PoseDataSample, cfg: Config) -> dict:
    """Return a sample with its truth as prediction, as an evaluator gets it."""
    predicted = sample.to_dict()
    truth = predicted["gt_instances"]
    keypoints = np.asarray(truth["keypoints"])[:, _output_keypoints(cfg) or slice(None)]
    predicted["pred_instances"] = dict(
        keypoints=keypoints,
        keypoint_scores=np.ones(keypoints.shape[:2], np.float32),
        bboxes=truth["bboxes"],
        bbox_scores=truth["bbox_scores"],
    )
    if (cfg.model.get("test_cfg") or {}).get("output_heatmaps"):
        heatmaps = torch.zeros(keypoints.shape[1], 1, 1)
        predicted["pred_fields"] = predicted.get("gt_fields", dict(heatmaps=heatmaps))
    return predicted
