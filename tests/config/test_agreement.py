"""The parts of a config are compared with each other before anything is trained or tested."""

import json
import shutil

import pytest
from mmengine.config import Config
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS

from dyrelu_pose.config.agreement import check_agreement
from dyrelu_pose.config.errors import ConfigError
from dyrelu_pose.errors import AnnotationError, UserError

TRAIN, VAL = "annotations/person_keypoints_train.json", "annotations/person_keypoints_val.json"


@pytest.fixture
def folder(people, tmp_path):
    """Two drawn people to train on and two to validate with, of whose files a test may change."""
    return shutil.copytree(people, tmp_path / "people")


@pytest.fixture
def cfg(folder):
    cfg = Config.fromfile("configs/demo/resnet18.py")
    for split in ("train", "val", "test"):
        cfg[f"{split}_dataloader"].dataset.data_root = f"{folder}/"
    for split in ("val", "test"):
        cfg[f"{split}_evaluator"] = dict(type="PycocoMetric", ann_file=f"{folder}/{VAL}")
    return cfg


def check(cfg, splits=("train", "val"), **options):
    cfg.merge_from_dict({key.replace("__", "."): value for key, value in options.items()})
    check_agreement(cfg, splits)


def refused(cfg, *words, splits=("train", "val"), **options):
    with pytest.raises(UserError) as error:
        check(cfg, splits, **options)
    for word in words:
        assert word in str(error.value)


def edit(folder, name, change):
    """Change the content of an annotation file by a function."""
    path = folder / name
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_what_is_right_passes(cfg, capsys):
    check(cfg)
    check(cfg, ["test"])
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("hook", "name"),
    [("mmdet.PipelineSwitchHook", "switch_pipeline"),
     ("YOLOXPoseModeSwitchHook", "new_train_pipeline")],
)  # fmt: skip
def test_a_pipeline_that_comes_later(cfg, hook, name):
    pipeline = cfg.train_dataloader.dataset.pipeline
    cfg.custom_hooks = [dict(type="EMAHook"), {"type": hook, name: pipeline}]
    check(cfg)
    cfg.custom_hooks[1][name] = [pipeline[0], *pipeline[2:]]
    refused(cfg, "RandomBBoxTransform in the", f"custom_hooks.1.{name} of the config needs 'bbox_s")
    cfg.custom_hooks[1][name] = pipeline[:-1]
    refused(cfg, f"the pipeline of custom_hooks.1.{name} of the config ends without PackPoseInputs")
    cfg.custom_hooks[1][name] = 1
    refused(cfg, f"custom_hooks.1.{name} of the config is 1: it has to be a list or a tuple")
    check(cfg, ["val"])


# Keypoints


@pytest.mark.parametrize("number", [4, 1, 18])
def test_a_head_of_another_number_of_keypoints(cfg, number):
    words = f"model.head.out_channels of the config is {number}, and train_", "has 17 keypoints"
    refused(cfg, *words, model__head__out_channels=number)
    refused(cfg, "and test_dataloader.dataset has 17", splits=["test"])


@pytest.mark.parametrize(
    ("head", "key"),
    [
        (dict(type="RegressionHead", num_joints=4), "head.num_joints"),
        (dict(type="RLEHead", num_joints=4), "head.num_joints"),
        (dict(type="DSNTHead", in_featuremap_size=(2, 4), num_joints=4), "head.num_joints"),
        (dict(type="SimCCHead", out_channels=4, input_size=(64, 128), in_featuremap_size=(2, 4)),
         "head.out_channels"),
        (dict(type="CIDHead", num_keypoints=4, gfd_channels=8), "head.num_keypoints"),
        (dict(type="VisPredictHead", pose_cfg=dict(type="HeatmapHead", in_channels=256,
              out_channels=4, deconv_out_channels=None)), "head.pose_cfg.out_channels"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_any_head_of_another_number_of_keypoints(cfg, head, key):
    if "pose_cfg" not in head:
        head = dict(head, in_channels=256)
    if head["type"] in ("RegressionHead", "RLEHead"):
        cfg.model.neck = dict(type="GlobalAveragePooling")
    cfg.model.head = head
    refused(cfg, f"model.{key} of the config is 4, and", "has 17 keypoints", splits=["train"])


def test_udp_with_offsets_has_three_channels_of_each_keypoint(cfg):
    codec = dict(
        type="UDPHeatmap", input_size=(64, 128), heatmap_size=(16, 32), heatmap_type="combined"
    )
    cfg.model.head.update(loss=dict(type="CombinedTargetMSELoss", use_target_weight=True))
    cfg.model.head.decoder = codec
    cfg.train_dataloader.dataset.pipeline[-2].encoder = codec
    cfg.model.train_cfg = dict(compute_acc=False)  # which MMPose cannot compute of offsets
    check(cfg, ["train"], model__head__out_channels=51)
    refused(cfg, "is 17, three of each", "17 keypoints", model__head__out_channels=17)


def test_keypoints_that_the_pipeline_converts(cfg):
    ankles = dict(type="KeypointConverter", num_keypoints=2, mapping=[(15, 0), (16, 1)])
    cfg.train_dataloader.dataset.pipeline[2] = ankles  # no flip: it goes by all 17
    check(cfg, ["train"], model__head__out_channels=2)
    refused(cfg, "val_dataloader.dataset has 17")
    refused(cfg, "has 2 keypoints", splits=["train"], model__head__out_channels=17)


def test_one_of_combined_sets_with_other_keypoints(cfg):
    part = cfg.train_dataloader.dataset
    other = dict(part, type="AP10KDataset", ann_file="annotations/person_keypoints_train.json")
    whole = dict(type="AicDataset", ann_file=part.ann_file, data_root=part.data_root)
    meta = dict(from_file="configs/_base_/datasets/coco.py")
    cfg.train_dataloader.dataset = dict(
        type="CombinedDataset", metainfo=meta, datasets=[part, other], pipeline=[]
    )
    check(cfg)
    cfg.train_dataloader.dataset.datasets.append(whole)
    refused(cfg, "train_dataloader.dataset.datasets.2 has 14 keypoints")


def test_shares_of_combined_sets(cfg):
    part, meta = cfg.train_dataloader.dataset, dict(from_file="configs/_base_/datasets/coco.py")
    cfg.train_dataloader.dataset = dict(
        type="CombinedDataset", metainfo=meta, datasets=[part, part], pipeline=[],
        sample_ratio_factor=[0, 0.1],
    )  # fmt: skip
    check(cfg)
    for factors in ([0.1], [-1, 1]):
        said = "train_dataloader.dataset of the config, of CombinedDataset, gives no sample: Asser"
        refused(cfg, said, train_dataloader__dataset__sample_ratio_factor=factors)


@pytest.mark.parametrize(("subset", "count"), [("upper", 6), ("lower", 4), ("full", 8)])
def test_a_data_set_whose_keypoints_depend_on_an_argument(cfg, subset, count):
    part = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(part, type="DeepFashionDataset", subset=subset)
    refused(cfg, f"train_dataloader.dataset has {count} keypoints", splits=["train"])
    check(cfg, ["train"], model__head__out_channels=count)


def metainfo(count=17, **changes):
    info = {i: dict(name=f"k{i}", id=i, color=[0, 0, 0], type="", swap="") for i in range(count)}
    info[0]["swap"], info[1]["swap"] = "k1", "k0"
    meta = dict(dataset_name="own", keypoint_info=info, skeleton_info={})
    return {**meta, "joint_weights": [1.0] * count, "sigmas": [0.05] * count, **changes}


def test_a_description_of_ones_own(cfg):
    for split in ("train", "val"):
        cfg[f"{split}_dataloader"].dataset.metainfo = metainfo()
    check(cfg)


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("length", [4, 18])
def test_another_number_of_sigmas(cfg, split, length):
    cfg[f"{split}_dataloader"].dataset.metainfo = metainfo(sigmas=[0.05] * length)
    refused(cfg, f"{split}_dataloader.dataset.metainfo", f"has {length} sigmas for 17 keypoints")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        (dict(sigmas=[0.05] * 16 + [0]), "has sigmas that are not positive"),
        (dict(sigmas=0.05), "has 1 sigmas for 17 keypoints"),
    ],
)
def test_sigmas_that_cannot_be_right(cfg, changes, word):
    cfg.train_dataloader.dataset.metainfo = metainfo(**changes)
    refused(cfg, f"train_dataloader.dataset.metainfo of the config {word}")


@pytest.mark.parametrize("name", ["sigmas", "skeleton_info", "dataset_name"])
def test_a_description_that_lacks_something(cfg, name):
    cfg.train_dataloader.dataset.metainfo = metainfo()
    del cfg.train_dataloader.dataset.metainfo[name]
    refused(cfg, f"train_dataloader.dataset.metainfo of the config has no {name}")


def test_what_is_beside_a_file_that_describes_keypoints_is_refused(cfg):
    meta = dict(from_file="configs/_base_/datasets/coco.py", sigmas=[0.1] * 17)
    cfg.train_dataloader.dataset.metainfo = meta
    refused(cfg, "metainfo of the config has sigmas beside from_file, and only that is read")


def test_sigmas_are_needed_where_they_are_evaluated(cfg):
    cfg.train_dataloader.dataset.metainfo = metainfo(sigmas=[])
    check(cfg)
    cfg.val_dataloader.dataset.metainfo = metainfo(sigmas=[])
    refused(cfg, "val_dataloader.dataset.metainfo has no sigmas")


def test_weights_of_keypoints_are_counted_where_they_are_used(cfg):
    cfg.train_dataloader.dataset.metainfo = metainfo(joint_weights=[1.0] * 16)
    check(cfg)
    cfg.train_dataloader.dataset.pipeline[-2].use_dataset_keypoint_weights = True
    refused(cfg, "has 16 joint_weights for 17 keypoints")


def test_keypoints_that_are_not_each_others_mirror_image(cfg):
    meta = metainfo()
    meta["keypoint_info"][1]["swap"] = "k2"
    cfg.train_dataloader.dataset.metainfo = meta
    refused(cfg, "metainfo.keypoint_info", "swaps k0 with k1, but k1 with k2")


def numbered(numbers):
    return lambda meta: {number: meta["keypoint_info"][number % 17] for number in numbers}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("keypoint_info", numbered([1, 0, *range(2, 17)]), ".keypoint_info of the config has the "
         "keys 1, 0, 2, "),
        ("keypoint_info", numbered(range(1, 18)), ".keypoint_info of the config has the keys 1, 2"),
        ("keypoint_info.3.name", "k5", ".keypoint_info.3 and train_dataloader.dataset.metainfo."
         "keypoint_info.5 of the config are both named k5"),
        ("keypoint_info.3.name", None, ".keypoint_info.3.name of the config"),
        ("keypoint_info.3.id", 2, ".keypoint_info.3.id of the config is 2, which is not its key"),
        ("keypoint_info.3.swap", "no", ".keypoint_info.3.swap of the config names 'no', and"),
        ("keypoint_info.3.color", "red", ".keypoint_info.3.color of the config is 'red': it has"),
        ("keypoint_info.3.color", [1, 2, 300], ".keypoint_info.3.color of the config is [1, 2, 30"),
        ("skeleton_info", {0: dict(link=("k0", "no"))}, ".skeleton_info.0.link of the config "
         "names 'no', and there is no such keypoint"),
        ("skeleton_info", {0: dict(link=("k0",))}, ".skeleton_info.0.link of the config has 1 na"),
        ("joint_weights", [1.0] * 16 + [float("nan")], " of the config has joint_weights that are"),
    ],
)  # fmt: skip
def test_a_description_that_cannot_be_right(cfg, key, value, message):
    meta = metainfo()
    *outer, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    part = meta
    for name in outer:
        part = part[name]
    part[last] = value(meta) if callable(value) else value
    cfg.train_dataloader.dataset.metainfo = meta
    refused(cfg, f"train_dataloader.dataset.metainfo{message}")


# Sizes


def test_heatmaps_of_another_size_than_the_codec(cfg):
    words = "heatmaps of 8 x 16 (WxH)", "model.head.decoder.heatmap_size of the config is 16 x 32"
    refused(cfg, *words, model__head__stages=((128,), (64,)))
    refused(cfg, *words, splits=["test"])


def test_targets_of_another_size_than_the_heatmaps(cfg):
    codec = dict(cfg.codec, heatmap_size=(32, 64))
    cfg.train_dataloader.dataset.pipeline[-2].encoder = codec
    refused(cfg, "heatmaps of 16 x 32", "GenerateTarget.encoder.heatmap_size", "is 32 x 64")


def test_distributions_of_another_size_than_the_codec(cfg):
    codec = dict(type="SimCCLabel", input_size=(64, 128), simcc_split_ratio=2.0)
    cfg.model.head = dict(
        type="SimCCHead", in_channels=256, out_channels=17, input_size=(64, 128),
        in_featuremap_size=(2, 4), deconv_out_channels=None, decoder=codec,
    )  # fmt: skip
    cfg.train_dataloader.dataset.pipeline[-2].encoder = codec
    check(cfg)
    cfg.model.head.simcc_split_ratio = 3.0
    refused(cfg, "bins of 192 x 384", "input_size * simcc_split_ratio of model.head.decoder")


def test_images_of_another_size_than_the_codec(cfg):
    cfg.val_dataloader.dataset.pipeline[2].input_size = (96, 128)
    words = "val_dataloader.dataset makes images of 96 x 128", "decoder.input_size", "64 x 128"
    refused(cfg, *words)


def test_a_training_on_smaller_images_than_the_codec(cfg):
    codec = dict(cfg.codec, input_size=(32, 64), heatmap_size=(8, 16))
    pipeline = cfg.train_dataloader.dataset.pipeline
    pipeline[4].input_size = codec["input_size"]
    words = "heatmaps of 8 x 16", "GenerateTarget.encoder.heatmap_size", "is 16 x 32"
    refused(cfg, *words)
    pipeline[5].encoder = codec
    check(cfg)
    cfg.val_dataloader.dataset.pipeline[2].input_size = codec["input_size"]
    refused(cfg, "val_dataloader.dataset makes images of 32 x 64", "is 64 x 128")


def test_a_training_on_images_that_the_layers_do_not_fit(cfg):
    codec = dict(type="SimCCLabel", input_size=(64, 128), simcc_split_ratio=2.0)
    cfg.model.head = dict(
        type="SimCCHead", in_channels=256, out_channels=17, input_size=(64, 128),
        in_featuremap_size=(2, 4), deconv_out_channels=None, decoder=codec,
    )  # fmt: skip
    pipeline = cfg.train_dataloader.dataset.pipeline
    pipeline[5].encoder = dict(codec, input_size=(32, 64))
    pipeline[4].input_size = (32, 64)
    refused(cfg, "model of the config cannot be run on an image of 32x64 pixels")


def test_layers_that_do_not_fit(cfg):
    words = "model of the config cannot be run on an image of 64x128", "256"
    refused(cfg, *words, model__head__in_channels=128)


@pytest.mark.parametrize(
    "loss",
    [dict(type="KeypointOHKMMSELoss", topk=18), dict(type="RLELoss"), dict(type="KLDiscretLoss")],
    ids=lambda loss: loss["type"],
)
def test_a_loss_that_cannot_be_computed(cfg, loss):
    cfg.model.head.loss = loss
    refused(cfg, "model.head.loss of the config cannot be computed", "(1, 17, 32, 16)")


def test_transposed_layers_that_do_not_fit(cfg):
    cfg.model.head = dict(
        type="HeatmapHead", in_channels=128, out_channels=17, deconv_out_channels=(8, 8, 8),
        deconv_kernel_sizes=(4, 4, 4), decoder=cfg.codec, loss=dict(type="KeypointMSELoss"),
    )  # fmt: skip
    refused(cfg, "has 128 channels as its input, and gets 256")
    check(cfg, model__head__in_channels=256)


def test_targets_that_are_no_heatmaps(cfg):
    codec = dict(type="RegressionLabel", input_size=(64, 128))
    cfg.train_dataloader.dataset.pipeline[-2].encoder = codec
    refused(cfg, "train_dataloader.dataset: GenerateTarget.encoder", "RegressionLabel, which makes")
    del cfg.train_dataloader.dataset.pipeline[-2]
    refused(cfg, "train_dataloader.dataset.pipeline of the config has no GenerateTarget")


def test_a_codec_that_fails_is_named(cfg):
    cfg.train_dataloader.dataset.pipeline[-2].encoder = dict(cfg.codec, sigma=float("nan"))
    refused(cfg, "GenerateTarget.encoder of the config, SoftmaxHeatmap, makes no targets: Value")


@pytest.mark.parametrize("splits", [("train", "val"), ("test",)])
def test_a_prediction_that_cannot_be_made(cfg, splits):
    words = "model.head of the config, ", "cannot predict for a sample of", "flip_mode", "'foo'"
    refused(cfg, *words, splits=splits, model__test_cfg__flip_mode="foo")


def test_more_keypoints_than_the_data_set_flips(cfg):
    cfg.model.test_cfg.update(flip_test=True, output_keypoint_indices=list(range(17)))
    cfg.model.head.out_channels = 19
    refused(cfg, "flip_test swaps the 17 keypoints of the data set", splits=["val"])


def test_meta_keys_that_a_prediction_needs(cfg):
    meta_keys = ("input_size", "input_center", "input_scale")
    cfg.val_dataloader.dataset.pipeline[-1].update(meta_keys=meta_keys)
    refused(cfg, "cannot predict for a sample of val_dataloader.dataset: KeyError: flip_indices")


def test_a_decoder_of_no_width(cfg):
    said = "cannot predict for a sample of val_dataloader.dataset: ZeroDivisionError"
    refused(cfg, said, splits=["val"], model__head__decoder__sigma=0)


def test_a_loss_that_is_not_finite(cfg):
    encoder = dict(type="MSRAHeatmap", input_size=(64, 128), heatmap_size=(16, 32), sigma=0)
    cfg.train_dataloader.dataset.pipeline[5].encoder = encoder
    said = (
        "is not finite for a sample of train_dataloader.dataset and features of zeros: loss_kpt is"
    )
    refused(cfg, said, splits=["train"], model__head__loss=dict(type="KeypointMSELoss"))


def test_pictures_that_are_normalised_to_nothing(cfg):
    said = "model.data_preprocessor of the config makes values that are not finite of a sample of"
    refused(cfg, said, "is a std 0?", model__data_preprocessor__std=[0, 57, 57])


def test_boxes_of_no_size(cfg):
    cfg.val_dataloader.dataset.pipeline[1].padding = 0
    refused(
        cfg, "the pipeline of val_dataloader.dataset", "makes boxes of 0.0 x 0.0 pixels: is the"
    )


def test_losses_that_can_be_computed(cfg):
    for loss in (dict(type="KeypointMSELoss"), dict(type="KeypointOHKMMSELoss", topk=8)):
        cfg.model.head.loss = loss
        check(cfg, ["train"])


# Files that are evaluated


def test_what_is_evaluated_is_named(cfg, folder):
    edit(folder, VAL, lambda content: content["annotations"][1].pop("area"))
    words = f"{folder}/{VAL}", "annotation 9000020 has no area"
    with pytest.raises(AnnotationError, match="use_area=False"):
        check(cfg)
    refused(cfg, *words, splits=["test"])
    check(cfg, ["train"])
    check(cfg, val_evaluator__use_area=False)


def test_an_evaluator_without_a_file_goes_by_that_of_the_data_set(cfg, folder):
    cfg.val_evaluator = dict(type="CocoMetric")
    check(cfg)
    edit(folder, VAL, lambda content: content.pop("categories"))
    refused(cfg, f"{folder}/{VAL}", "no 'categories'")


def test_an_evaluator_of_other_pictures(cfg, folder):
    other = f"{folder}/{TRAIN}"
    refused(cfg, other, f"{folder}/{VAL}", "val_evaluator.ann_file", val_evaluator__ann_file=other)


def test_an_evaluator_without_one_of_the_pictures(cfg, folder):
    shutil.copy(folder / VAL, folder / "truth.json")
    cfg.val_evaluator.ann_file = f"{folder}/truth.json"
    check(cfg)
    edit(folder, "truth.json", lambda content: content["images"].pop())
    refused(cfg, "truth.json", VAL, "is missing")


def test_an_evaluator_of_other_pictures_by_the_same_ids(cfg, folder):
    shutil.copy(folder / VAL, folder / "truth.json")
    edit(folder, "truth.json", lambda content: content["images"][1].update(file_name="7.jpg"))
    words = "val_evaluator.ann_file", "truth.json", VAL, "is 7.jpg"
    refused(cfg, *words, val_evaluator__ann_file=f"{folder}/truth.json")


def test_an_evaluator_need_not_know_pictures_of_nobody(cfg, folder):
    shutil.copy(folder / VAL, folder / "truth.json")
    nobody = dict(id=7, file_name="nobody.jpg", width=9, height=9)
    edit(folder, VAL, lambda content: content["images"].append(nobody))
    check(cfg, val_evaluator__ann_file=f"{folder}/truth.json")


def test_an_evaluator_may_know_more_pictures(cfg, folder):
    shutil.copy(folder / VAL, folder / "truth.json")
    edit(folder, VAL, lambda content: content["images"].pop())
    check(cfg, val_evaluator__ann_file=f"{folder}/truth.json")


def test_pictures_without_truths_whose_boxes_are_given(cfg, folder):
    entry = dict(image_id=900002, category_id=1, bbox=[10, 10, 50, 50], score=0.5)
    (folder / "boxes.json").write_text(json.dumps([entry]))
    edit(folder, VAL, lambda content: content.pop("annotations"))
    cfg.test_dataloader.dataset.bbox_file = f"{folder}/boxes.json"
    refused(cfg, f"{folder}/{VAL} is not in the COCO format", splits=["test"])
    for kind in ("CocoMetric", "PycocoMetric"):
        only = dict(type=kind, format_only=True, outfile_prefix=str(folder / "found"))
        check(cfg, ["test"], test_evaluator=only)


# Metrics


def best(names):
    return dict(type="CheckpointHook", rule="greater", save_best=names)


@pytest.mark.parametrize(
    ("key", "hook", "word"),
    [
        ("default_hooks", dict(checkpoint=best("coco/mAP")), "coco/mAP"),
        ("default_hooks", dict(checkpoint=best(["coco/AP", "PCK"])), "is PCK,"),
        ("custom_hooks", [dict(type="EarlyStoppingHook", monitor="AP")], "custom_hooks.0.monitor"),
        ("param_scheduler", dict(type="ReduceOnPlateauLR", monitor="loss"), "param_scheduler.0"),
    ],
)
def test_a_metric_that_is_not_evaluated(cfg, key, hook, word):
    cfg[key] = {**cfg[key], **hook} if key == "default_hooks" else hook
    refused(cfg, word, "val_evaluator yields coco/AP,")
    check(cfg, ["train"])  # as with --no-validate


def test_metrics_that_are_evaluated(cfg):
    cfg.default_hooks.checkpoint.save_best = ["coco/AP", "own/AR .5", "NME"]
    own = dict(cfg.val_evaluator, prefix="own", type="CocoMetric")
    nme = dict(type="NME", norm_mode="use_norm_item", norm_item="bbox_size")
    check(cfg, val_evaluator=[cfg.val_evaluator, own, nme])


def test_metrics_of_ones_own_may_have_any_name(cfg):
    cfg.val_evaluator = [cfg.val_evaluator, dict(type="DumpResults", out_file_path="none.pkl")]
    check(cfg, default_hooks__checkpoint__save_best="anything")


def test_metrics_of_an_evaluator(cfg):
    cfg.val_evaluator = dict(metrics=[cfg.val_evaluator])
    check(cfg)
    refused(cfg, "yields coco/AP,", default_hooks__checkpoint__save_best="PCK")


@pytest.fixture
def mixed(cfg):
    """A config that evaluates two sets of two people as one."""
    own = cfg.val_dataloader.dataset
    parts = [dict(own, pipeline=[]), dict(own, ann_file=TRAIN, pipeline=[])]
    parts[1]["data_prefix"] = dict(img="train/")
    cfg.val_dataloader.dataset = dict(
        type="CombinedDataset", datasets=parts, pipeline=own.pipeline, test_mode=True,
        metainfo=dict(from_file="configs/_base_/datasets/coco.py"),
    )  # fmt: skip
    return cfg


def test_an_evaluator_of_mixed_sets_names_its_metrics_itself(mixed, folder):
    others = dict(type="CocoMetric", ann_file=f"{folder}/{TRAIN}")
    sets = [dict(type="CocoDataset"), dict(type="HumanArtDataset")]
    mixed.val_evaluator = dict(
        type="MultiDatasetEvaluator", metrics=[mixed.val_evaluator, others], datasets=sets
    )
    words = "val_evaluator.datasets.1 of the config is HumanArtDataset", "are of coco: its metric"
    refused(mixed, *words)
    mixed.val_dataloader.dataset.datasets[1].type = "HumanArtDataset"
    check(mixed, default_hooks__checkpoint__save_best="coco/AP")


def test_a_metric_of_mixed_sets_that_goes_by_the_file_of_one(mixed, folder):
    mixed.val_evaluator = dict(type="CocoMetric")
    words = f"val_evaluator of the config has no ann_file and goes by {folder}/{TRAIN}", VAL
    refused(mixed, *words, "is missing")
    first = mixed.val_dataloader.dataset.datasets[0]
    mixed.val_dataloader.dataset.datasets = [first, first]
    check(mixed)


def test_a_metric_of_a_users_own_may_add_names(cfg):
    @METRICS.register_module(name="Own")
    class Own(CocoMetric):
        pass

    cfg.val_evaluator.type = "Own"
    try:
        check(cfg, default_hooks__checkpoint__save_best="coco/own")
    finally:
        METRICS.module_dict.pop("Own")


def test_the_best_of_any_metric_needs_a_rule(cfg):
    cfg.default_hooks.checkpoint.update(save_best="auto", rule="greater")
    check(cfg)
    cfg.default_hooks.checkpoint.rule = None
    refused(cfg, "default_hooks.checkpoint.save_best of the config is auto", "coco/AP")


def test_two_metrics_of_one_name(cfg):
    refused(cfg, "val_evaluator.1", "coco/AP", "prefix", val_evaluator=[cfg.val_evaluator] * 2)


@pytest.mark.parametrize(
    ("metric", "word"),
    [
        (dict(type="NME", norm_mode="keypoint_distance"), "keypoint_indices"),
        (dict(type="NME", norm_mode="keypoint_distance", keypoint_indices=[0, 17]), "17-th"),
        (dict(type="NME", norm_mode="use_norm_item", norm_item="ear"), '"ear"'),
        (dict(type="PCKAccuracy", norm_item=["bbox", "head"]), "head_size"),
        (dict(type="HeatmapNLL"), "test_cfg=dict(output_heatmaps=True)"),
    ],
)
def test_a_metric_that_cannot_be_computed(cfg, metric, word):
    cfg.default_hooks.checkpoint.save_best = None
    with pytest.raises(ConfigError, match=metric["type"]):
        check(cfg, val_evaluator=[metric])
    refused(cfg, "val_evaluator.0 of the config", word)


def test_a_metric_of_heatmaps(cfg):
    cfg.model.test_cfg.output_heatmaps = True
    target = dict(type="GenerateTarget", encoder=cfg.codec)
    cfg.val_dataloader.dataset.pipeline.insert(-1, target)
    cfg.default_hooks.checkpoint.save_best = "heatmap/NLL"
    check(cfg, val_evaluator=[dict(type="HeatmapNLL")])
