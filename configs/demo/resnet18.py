# ResNet-18 of half the width with a light head, on drawn people: minutes on two CPU cores.
_base_ = "../_base_/topdown.py"

data_root = "data/synthetic/"

optim_wrapper = dict(optimizer=dict(lr=2e-3))
auto_scale_lr = dict(base_batch_size=32)
default_hooks = dict(checkpoint=dict(save_best="coco/AP", rule="greater"))

codec = dict(
    type="SoftmaxHeatmap",
    input_size=(64, 128),  # tall: most of the people stand
    heatmap_size=(16, 32),
    sigma=1.25,
    blur_kernel_size=5,
)

model = dict(
    backbone=dict(type="ResNet", depth=18, stem_channels=32, base_channels=32),
    head=dict(in_channels=256, stages=((128,), (64,), (48,)), decoder=codec),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="RandomFlip", direction="horizontal"),
    dict(
        type="RandomBBoxTransform",
        shift_factor=0.04,
        scale_factor=(0.88, 1.12),
        rotate_factor=16,
    ),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs"),
]
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="PackPoseInputs"),
]

train_dataloader = dict(batch_size=32, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(ann_file=data_root + "annotations/person_keypoints_val.json")
test_evaluator = val_evaluator
