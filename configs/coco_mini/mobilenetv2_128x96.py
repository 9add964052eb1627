# MobileNetV2 x1.0 from ImageNet weights, a narrow light head, ReLU6, 128x96: the recipe of the
# study on COCO-mini, a quarter of an hour on a CPU core. results/README.md says what was tried.
_base_ = "mmpose::_base_/default_runtime.py"
custom_imports = dict(imports=["dyrelu_pose"], allow_failed_imports=False)

data_root = "{{$DYRELU_DATA:data}}"
coco_mini = data_root + "/coco_mini/"
epochs = 8

train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=2)
randomness = dict(seed=0)

optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01),
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
auto_scale_lr = dict(base_batch_size=16)
default_hooks = dict(
    checkpoint=dict(interval=2, max_keep_ckpts=1)  # the last epoch is compared, not the best
)
custom_hooks = [dict(type="SyncBuffersHook"), dict(type="ChannelsLastHook")]

# 24x32 cells are coarse: UDP targets and decoding keep the fraction of a cell.
codec = dict(
    type="SoftmaxHeatmap",
    input_size=(96, 128),
    heatmap_size=(24, 32),
    sigma=1.5,
    blur_kernel_size=7,
)

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type="MobileNetV2",
        widen_factor=1.0,
        out_indices=(7,),
        init_cfg=dict(
            type="Pretrained", checkpoint=data_root + "/weights/mobilenetv2_imagenet_backbone.pth"
        ),
    ),
    head=dict(
        type="InvertedResidualHead",
        in_channels=1280,
        out_channels=17,
        stages=((128, 128), (64,), (64,)),
        loss=dict(type="HeatmapCrossEntropyLoss"),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=False),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="RandomFlip", direction="horizontal"),
    # Little augmentation: so short a schedule underfits.
    dict(
        type="RandomBBoxTransform",
        shift_prob=0,
        scale_factor=(0.8, 1.25),
        rotate_factor=20,
        rotate_prob=0.5,
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
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CocoDataset",
        data_root=coco_mini,
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
        data_root=coco_mini,
        data_mode="topdown",
        ann_file="annotations/person_keypoints_val.json",
        data_prefix=dict(img="val/"),
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type="PycocoMetric",
    ann_file=coco_mini + "annotations/person_keypoints_val.json",
    use_area=False,  # the areas in COCO-mini are the boxes' already
)
test_evaluator = val_evaluator
