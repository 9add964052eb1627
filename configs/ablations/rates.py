# How fast the hyper function learns: scale / fan-in of the rate of its matrices, its biases at the
# full rate or at theirs. A ResNet-18 of a quarter of the width, at a tiny input, for what it costs;
# on drawn people:
#     python tools/make_synthetic_coco.py data/synthetic_4000 --train 4000 --val 400 --array
base = "../demo/resnet18.py"
baseline = "full"
curves = ("relu", "full", "1", "4", "16")

_data = "data/synthetic_4000/"
_epochs = 4
_codec = dict(
    type="SoftmaxHeatmap",
    input_size=(32, 64),
    heatmap_size=(8, 16),
    sigma=1.0,
    blur_kernel_size=5,
)
_warp = dict(type="TopdownAffine", input_size=_codec["input_size"], use_udp=True)
_target = dict(type="GenerateTarget", encoder=_codec)
options = {
    "codec": _codec,
    "model.backbone.stem_channels": 16,
    "model.backbone.base_channels": 16,
    "model.head.in_channels": 128,
    "model.head.stages": ((64,), (32,), (32,)),
    "model.head.decoder": _codec,
    "model.test_cfg.output_heatmaps": True,
    "train_cfg.max_epochs": _epochs,
    "train_cfg.val_interval": _epochs,
    "param_scheduler.1.end": _epochs,
    "param_scheduler.1.T_max": _epochs,
    "param_scheduler.1.eta_min": None,
    "param_scheduler.1.eta_min_ratio": 5e-3,
    "train_dataloader.dataset.data_root": _data,
    "train_dataloader.dataset.type": "CropArrayDataset",
    "train_dataloader.dataset.pipeline.4": _warp,
    "train_dataloader.dataset.pipeline.5": _target,
    "train_dataloader.num_workers": 0,  # one thread in all
    "train_dataloader.persistent_workers": False,
    "val_dataloader.dataset.data_root": _data,
    "val_dataloader.dataset.pipeline": [
        dict(type="LoadImage"),
        dict(type="GetBBoxCenterScale"),
        _warp,
        _target,
        dict(type="PackPoseInputs"),
    ],
    "val_dataloader.batch_size": 64,
    "val_dataloader.num_workers": 0,
    "val_dataloader.persistent_workers": False,
    "val_evaluator": [
        dict(type="PycocoMetric", ann_file=_data + "annotations/person_keypoints_val.json"),
        dict(type="HeatmapNLL"),
    ],
    "default_hooks.checkpoint.save_best": None,  # the last epoch is compared
    "default_hooks.checkpoint.interval": _epochs,
    "optim_wrapper.constructor": "DyReLUOptimWrapperConstructor",
}

_rules = [
    dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
    dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
]


def _rates(scale, biases=False):
    keys = dict(hyper_lr_scale=scale, hyper_lr_biases=biases)
    return dict(
        dyrelu=_rules,
        options={f"optim_wrapper.paramwise_cfg.{key}": value for key, value in keys.items()},
    )


cells = {
    "relu": dict(dyrelu=[]),
    "full": dict(
        dyrelu=_rules, options={"optim_wrapper.constructor": "DefaultOptimWrapperConstructor"}
    ),
    **{f"{scale:g}": _rates(scale) for scale in (0.5, 1, 2, 4, 8, 16)},
    "4-biases": _rates(4, biases=True),
}
