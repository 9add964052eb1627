# MobileNetV2 x1.0, ReLU6, as a classifier: the plain twin. Needs MMPretrain; the data is a folder
# of images per class in train/ and in val/. The schedule is this project's, not the paper's.
custom_imports = dict(imports=["dyrelu_pose.models.classifier"], allow_failed_imports=False)
default_scope = "mmpretrain"

data_root = "{{$IMAGENET:data/imagenet}}"
input_size = (224, 224)
epochs = 300

train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=1)
val_cfg = {}
test_cfg = {}
randomness = dict(seed=0)
env_cfg = dict(mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0))

optim_wrapper = dict(
    optimizer=dict(type="SGD", lr=0.05, momentum=0.9, weight_decay=4e-5),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
)
param_scheduler = dict(
    type="CosineAnnealingLR",
    T_max=epochs,
    eta_min=0,
    by_epoch=True,
    convert_to_iter_based=True,
)
auto_scale_lr = dict(base_batch_size=256)
default_hooks = dict(
    logger=dict(type="LoggerHook", interval=50),
    checkpoint=dict(
        type="CheckpointHook",
        interval=1,
        max_keep_ckpts=1,
        save_best="accuracy/top1",
        rule="greater",
    ),
    visualization=dict(type="VisualizationHook", enable=False),
)
visualizer = dict(type="UniversalVisualizer", vis_backends=[dict(type="LocalVisBackend")])
custom_hooks = [dict(type="mmpose.SyncBuffersHook"), dict(type="ChannelsLastHook")]

model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(
        type="ClsDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    backbone=dict(type="mmpose.MobileNetV2", widen_factor=1.0, out_indices=(7,)),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=1000,
        in_channels=1280,
        loss=dict(type="CrossEntropyLoss"),
    ),
)

train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="RandomResizedCrop", scale=input_size[0]),
    dict(type="RandomFlip", prob=0.5, direction="horizontal"),
    dict(type="PackInputs"),
]
val_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="ResizeEdge", scale=256, edge="short"),
    dict(type="CenterCrop", crop_size=input_size[0]),
    dict(type="PackInputs"),
]

train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CustomDataset",
        data_root=data_root,
        data_prefix=dict(img_path="train"),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CustomDataset",
        data_root=data_root,
        data_prefix=dict(img_path="val"),
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="Accuracy", topk=(1, 5))
test_evaluator = val_evaluator
