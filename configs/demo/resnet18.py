# ResNet-18 of half the width with a light head, on drawn people: minutes on two CPU cores.
_base_ = "mmpose::_base_/default_runtime.py"
custom_imports = dict(imports=["dyrelu_pose"], allow_failed_imports=False)

data_root = "data/synthetic/"
epochs = 8

train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=2)
randomness = dict(seed=0)

optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
)
param_scheduler = [
    dict(type="LinearLR", begin=0, end=100, start_factor=0.01, by_epoch=False),
    dict(
        type="CosineAnnealingLR",
        begin=0,
        end=epochs,
        T_max=epochs,
        eta_min=1e-5,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(base_batch_size=32)
default_hooks = dict(
    checkpoint=dict(interval=2, max_keep_ckpts=1, save_best="coco/AP", rule="greater")
)
custom_hooks = [dict(type="SyncBuffersHook"), dict(type="ChannelsLastHook")]

codec = dict(
    type="SoftmaxHeatmap",
    input_size=(64, 128),  # tall: most of the people stand
    heatmap_size=(16, 32),
    sigma=1.25,
    blur_kernel_size=5,
)

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(type="ResNet", depth=18, stem_channels=32, base_channels=32),
    head=dict(
        type="InvertedResidualHead",
        in_channels=256,
        out_channels=17,
        stages=((128,), (64,), (48,)),
        loss=dict(type="HeatmapCrossEntropyLoss"),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=False),
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

train_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CocoDataset",
        data_root=data_root,
        data_mode="topdown",
        ann_file="annotations/person_keypoints_train.json",
        data_prefix=dict(img="train/"),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(
        type="CocoDataset",
        data_root=data_root,
        data_mode="topdown",
        ann_file="annotations/person_keypoints_val.json",
        data_prefix=dict(img="val/"),
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type="PycocoMetric", ann_file=data_root + "annotations/person_keypoints_val.json"
)
test_evaluator = val_evaluator
