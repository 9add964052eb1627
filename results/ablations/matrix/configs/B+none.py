auto_scale_lr = dict(base_batch_size=16)
backend_args = dict(backend='local')
coco_mini = '{{$DYRELU_DATA:data}}/coco_mini/'
codec = dict(
    blur_kernel_size=7,
    heatmap_size=(
        24,
        32,
    ),
    input_size=(
        96,
        128,
    ),
    sigma=1.5,
    type='SoftmaxHeatmap')
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(type='ChannelsLastHook'),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'dyrelu_pose',
    ])
data_root = '{{$DYRELU_DATA:data}}'
default_hooks = dict(
    badcase=dict(
        _scope_='mmpose',
        badcase_thr=5,
        enable=False,
        metric_type='loss',
        out_dir='badcase',
        type='BadCaseAnalysisHook'),
    checkpoint=dict(
        _scope_='mmpose', interval=2, max_keep_ckpts=1, type='CheckpointHook'),
    logger=dict(_scope_='mmpose', interval=50, type='LoggerHook'),
    param_scheduler=dict(_scope_='mmpose', type='ParamSchedulerHook'),
    sampler_seed=dict(_scope_='mmpose', type='DistSamplerSeedHook'),
    timer=dict(_scope_='mmpose', type='IterTimerHook'),
    visualization=dict(
        _scope_='mmpose', enable=False, type='PoseVisualizationHook'))
default_scope = 'mmpose'
env_cfg = dict(
    cudnn_benchmark=False,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
epochs = 8
load_from = None
log_level = 'INFO'
log_processor = dict(
    _scope_='mmpose',
    by_epoch=True,
    num_digits=6,
    type='LogProcessor',
    window_size=50)
model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint=
            '{{$DYRELU_DATA:data}}/weights/mobilenetv2_imagenet_backbone.pth',
            type='Pretrained'),
        out_indices=(7, ),
        type='MobileNetV2',
        widen_factor=1.0),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            123.675,
            116.28,
            103.53,
        ],
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='PoseDataPreprocessor'),
    dyrelu=[
        dict(act=dict(type='DyReLUB'), sites='backbone.*'),
    ],
    estimator='TopdownPoseEstimator',
    head=dict(
        decoder=dict(
            blur_kernel_size=7,
            heatmap_size=(
                24,
                32,
            ),
            input_size=(
                96,
                128,
            ),
            sigma=1.5,
            type='SoftmaxHeatmap'),
        in_channels=1280,
        loss=dict(type='HeatmapCrossEntropyLoss'),
        out_channels=17,
        stages=(
            (
                128,
                128,
            ),
            (64, ),
            (64, ),
        ),
        type='InvertedResidualHead'),
    input_size=(
        96,
        128,
    ),
    test_cfg=dict(flip_mode='heatmap', flip_test=True, shift_heatmap=False),
    type='DyReLUPoseEstimator')
optim_wrapper = dict(
    optimizer=dict(lr=0.001, type='AdamW', weight_decay=0.01),
    paramwise_cfg=dict(bias_decay_mult=0, norm_decay_mult=0))
param_scheduler = [
    dict(begin=0, by_epoch=False, end=100, start_factor=0.01, type='LinearLR'),
    dict(
        T_max=8,
        begin=0,
        by_epoch=True,
        convert_to_iter_based=True,
        end=8,
        eta_min=1e-05,
        type='CosineAnnealingLR'),
]
randomness = dict(seed=2)
resume = False
test_cfg = dict()
test_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file='annotations/person_keypoints_val.json',
        data_mode='topdown',
        data_prefix=dict(img='val/'),
        data_root='{{$DYRELU_DATA:data}}/coco_mini/',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(input_size=(
                96,
                128,
            ), type='TopdownAffine', use_udp=True),
            dict(type='PackPoseInputs'),
        ],
        test_mode=True,
        type='CocoDataset'),
    num_workers=1,
    persistent_workers=True,
    sampler=dict(round_up=False, shuffle=False, type='DefaultSampler'))
test_evaluator = dict(
    ann_file=
    '{{$DYRELU_DATA:data}}/coco_mini/annotations/person_keypoints_val.json',
    type='PycocoMetric',
    use_area=False)
train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=2)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        ann_file='annotations/person_keypoints_train.json',
        data_mode='topdown',
        data_prefix=dict(img='train/'),
        data_root='{{$DYRELU_DATA:data}}/coco_mini/',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(direction='horizontal', type='RandomFlip'),
            dict(
                rotate_factor=20,
                rotate_prob=0.5,
                scale_factor=(
                    0.8,
                    1.25,
                ),
                shift_prob=0,
                type='RandomBBoxTransform'),
            dict(input_size=(
                96,
                128,
            ), type='TopdownAffine', use_udp=True),
            dict(
                encoder=dict(
                    blur_kernel_size=7,
                    heatmap_size=(
                        24,
                        32,
                    ),
                    input_size=(
                        96,
                        128,
                    ),
                    sigma=1.5,
                    type='SoftmaxHeatmap'),
                type='GenerateTarget'),
            dict(type='PackPoseInputs'),
        ],
        type='CocoDataset'),
    num_workers=1,
    persistent_workers=True,
    sampler=dict(shuffle=True, type='DefaultSampler'))
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(direction='horizontal', type='RandomFlip'),
    dict(
        rotate_factor=20,
        rotate_prob=0.5,
        scale_factor=(
            0.8,
            1.25,
        ),
        shift_prob=0,
        type='RandomBBoxTransform'),
    dict(input_size=(
        96,
        128,
    ), type='TopdownAffine', use_udp=True),
    dict(
        encoder=dict(
            blur_kernel_size=7,
            heatmap_size=(
                24,
                32,
            ),
            input_size=(
                96,
                128,
            ),
            sigma=1.5,
            type='SoftmaxHeatmap'),
        type='GenerateTarget'),
    dict(type='PackPoseInputs'),
]
val_cfg = dict()
val_dataloader = dict(
    batch_size=32,
    dataset=dict(
        ann_file='annotations/person_keypoints_val.json',
        data_mode='topdown',
        data_prefix=dict(img='val/'),
        data_root='{{$DYRELU_DATA:data}}/coco_mini/',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(input_size=(
                96,
                128,
            ), type='TopdownAffine', use_udp=True),
            dict(type='PackPoseInputs'),
        ],
        test_mode=True,
        type='CocoDataset'),
    num_workers=1,
    persistent_workers=True,
    sampler=dict(round_up=False, shuffle=False, type='DefaultSampler'))
val_evaluator = dict(
    ann_file=
    '{{$DYRELU_DATA:data}}/coco_mini/annotations/person_keypoints_val.json',
    type='PycocoMetric',
    use_area=False)
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(input_size=(
        96,
        128,
    ), type='TopdownAffine', use_udp=True),
    dict(type='PackPoseInputs'),
]
vis_backends = [
    dict(_scope_='mmpose', type='LocalVisBackend'),
]
visualizer = dict(
    _scope_='mmpose',
    name='visualizer',
    type='PoseLocalVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
