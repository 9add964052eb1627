# A small top-down model on few pictures: a short schedule, the light head, a loss that learns fast.
# A config of its own adds the backbone, the head's widths, the codec, the pipelines and the data.
_base_ = "mmpose::_base_/default_runtime.py"
custom_imports = dict(imports=["dyrelu_pose"], allow_failed_imports=False)

epochs = 8
train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=2)
randomness = dict(seed=0)

optim_wrapper = dict(
    optimizer=dict(type="AdamW", weight_decay=0.01),
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
default_hooks = dict(
    checkpoint=dict(interval=2, max_keep_ckpts=1)  # the last epoch is compared, not the best
)
custom_hooks = [dict(type="SyncBuffersHook"), dict(type="ChannelsLastHook")]

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    head=dict(
        type="InvertedResidualHead",
        out_channels=17,
        loss=dict(type="HeatmapCrossEntropyLoss"),
    ),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=False),
)

train_dataloader = dict(
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CocoDataset",
        data_mode="topdown",
        ann_file="annotations/person_keypoints_train.json",
        data_prefix=dict(img="train/"),
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(
        type="CocoDataset",
        data_mode="topdown",
        ann_file="annotations/person_keypoints_val.json",
        data_prefix=dict(img="val/"),
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="PycocoMetric")
test_evaluator = val_evaluator
