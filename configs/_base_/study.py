# What the networks of the study have in common: random start, AdamW, much augmentation, batches out
# of one array of pictures, AP and likelihood of the heatmaps. Here 40,000 drawn people at 96x64:
#     python tools/make_synthetic_coco.py data/drawn --train 24000 --val 700 --array
_base_ = "topdown.py"

data_root = "data/drawn/"

codec = dict(
    type="SoftmaxHeatmap",
    input_size=(64, 96),
    heatmap_size=(16, 24),
    sigma=1.25,
    blur_kernel_size=5,
)
model = dict(
    head=dict(decoder=codec, act_cfg=dict(type="ReLU")),
    test_cfg=dict(output_heatmaps=True),  # for HeatmapNLL
)

optim_wrapper = dict(optimizer=dict(lr=2e-3))
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(
        type="CosineAnnealingLR",
        begin=0,
        end=_base_.epochs,
        T_max=_base_.epochs,
        eta_min_ratio=5e-3,  # of each group's own rate
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(val_interval=1)
default_hooks = dict(checkpoint=dict(interval=1))

warp = dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True)
target = dict(type="GenerateTarget", encoder=codec)
train_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="RandomFlip", direction="horizontal"),
    dict(
        type="RandomBBoxTransform",
        shift_prob=0,
        scale_factor=(0.7, 1.35),
        rotate_factor=40,
        rotate_prob=1.0,
    ),
    warp,
    target,
    dict(type="PackPoseInputs"),
]
val_pipeline = [*train_pipeline[:2], warp, target, dict(type="PackPoseInputs")]

train_dataloader = dict(
    batch_size=128,
    num_workers=0,  # one thread in all
    persistent_workers=False,
    dataset=dict(type="CropArrayDataset", data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root, pipeline=val_pipeline),
)
test_dataloader = val_dataloader

val_evaluator = [
    dict(type="PycocoMetric", ann_file=data_root + "annotations/person_keypoints_val.json"),
    dict(type="HeatmapNLL"),
]
test_evaluator = val_evaluator
