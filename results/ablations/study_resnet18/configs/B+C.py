auto_scale_lr = dict(base_batch_size=128)
backend_args = dict(backend='local')
codec = dict(
    blur_kernel_size=5,
    heatmap_size=(
        16,
        24,
    ),
    input_size=(
        64,
        96,
    ),
    sigma=1.25,
    type='SoftmaxHeatmap')
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(type='ChannelsLastHook'),
]
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'dyrelu_pose',
    ])
data_root = 'data/drawn/'
default_hooks = dict(
    badcase=dict(
        _scope_='mmpose',
        badcase_thr=5,
        enable=False,
        metric_type='loss',
        out_dir='badcase',
        type='BadCaseAnalysisHook'),
    checkpoint=dict(
        _scope_='mmpose', interval=1, max_keep_ckpts=1, type='CheckpointHook'),
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
    backbone=dict(base_channels=8, depth=18, stem_channels=8, type='ResNet'),
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
        dict(act=dict(type='DyReLUC'), sites='head.*'),
    ],
    estimator='TopdownPoseEstimator',
    head=dict(
        act_cfg=dict(type='ReLU'),
        decoder=dict(
            blur_kernel_size=5,
            heatmap_size=(
                16,
                24,
            ),
            input_size=(
                64,
                96,
            ),
            sigma=1.25,
            type='SoftmaxHeatmap'),
        in_channels=64,
        loss=dict(type='HeatmapCrossEntropyLoss'),
        out_channels=17,
        stages=(
            (32, ),
            (16, ),
            (16, ),
        ),
        type='InvertedResidualHead'),
    input_size=(
        64,
        96,
    ),
    test_cfg=dict(
        flip_mode='heatmap',
        flip_test=True,
        output_heatmaps=True,
        shift_heatmap=False),
    type='DyReLUPoseEstimator')
optim_wrapper = dict(
    constructor='DyReLUOptimWrapperConstructor',
    optimizer=dict(lr=0.016, type='AdamW', weight_decay=0.01),
    paramwise_cfg=dict(bias_decay_mult=0, norm_decay_mult=0))
param_scheduler = [
    dict(begin=0, by_epoch=False, end=100, start_factor=0.01, type='LinearLR'),
    dict(
        T_max=8,
        begin=0,
        by_epoch=True,
        convert_to_iter_based=True,
        end=8,
        eta_min_ratio=0.005,
        type='CosineAnnealingLR'),
]
randomness = dict(seed=2)
resume = False
target = dict(
    encoder=dict(
        blur_kernel_size=5,
        heatmap_size=(
            16,
            24,
        ),
        input_size=(
            64,
            96,
        ),
        sigma=1.25,
        type='SoftmaxHeatmap'),
    type='GenerateTarget')
test_cfg = dict()
test_dataloader = dict(
    batch_size=64,
    dataset=dict(
        ann_file='annotations/person_keypoints_val.json',
        data_mode='topdown',
        data_prefix=dict(img='val/'),
        data_root='data/drawn/',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(input_size=(
                64,
                96,
            ), type='TopdownAffine', use_udp=True),
            dict(
                encoder=dict(
                    blur_kernel_size=5,
                    heatmap_size=(
                        16,
                        24,
                    ),
                    input_size=(
                        64,
                        96,
                    ),
                    sigma=1.25,
                    type='SoftmaxHeatmap'),
                type='GenerateTarget'),
            dict(type='PackPoseInputs'),
        ],
        test_mode=True,
        type='CocoDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(round_up=False, shuffle=False, type='DefaultSampler'))
test_evaluator = [
    dict(
        ann_file='data/drawn/annotations/person_keypoints_val.json',
        type='PycocoMetric'),
    dict(type='HeatmapNLL'),
]
train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=1)
train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        ann_file='annotations/person_keypoints_train.json',
        data_mode='topdown',
        data_prefix=dict(img='train/'),
        data_root='data/drawn/',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(direction='horizontal', type='RandomFlip'),
            dict(
                rotate_factor=40,
                rotate_prob=1.0,
                scale_factor=(
                    0.7,
                    1.35,
                ),
                shift_prob=0,
                type='RandomBBoxTransform'),
            dict(input_size=(
                64,
                96,
            ), type='TopdownAffine', use_udp=True),
            dict(
                encoder=dict(
                    blur_kernel_size=5,
                    heatmap_size=(
                        16,
                        24,
                    ),
                    input_size=(
                        64,
                        96,
                    ),
                    sigma=1.25,
                    type='SoftmaxHeatmap'),
                type='GenerateTarget'),
            dict(type='PackPoseInputs'),
        ],
        type='CropArrayDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=True, type='DefaultSampler'))
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(direction='horizontal', type='RandomFlip'),
    dict(
        rotate_factor=40,
        rotate_prob=1.0,
        scale_factor=(
            0.7,
            1.35,
        ),
        shift_prob=0,
        type='RandomBBoxTransform'),
    dict(input_size=(
        64,
        96,
    ), type='TopdownAffine', use_udp=True),
    dict(
        encoder=dict(
            blur_kernel_size=5,
            heatmap_size=(
                16,
                24,
            ),
            input_size=(
                64,
                96,
            ),
            sigma=1.25,
            type='SoftmaxHeatmap'),
        type='GenerateTarget'),
    dict(type='PackPoseInputs'),
]
val_cfg = dict()
val_dataloader = dict(
    batch_size=64,
    dataset=dict(
        ann_file='annotations/person_keypoints_val.json',
        data_mode='topdown',
        data_prefix=dict(img='val/'),
        data_root='data/drawn/',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(input_size=(
                64,
                96,
            ), type='TopdownAffine', use_udp=True),
            dict(
                encoder=dict(
                    blur_kernel_size=5,
                    heatmap_size=(
                        16,
                        24,
                    ),
                    input_size=(
                        64,
                        96,
                    ),
                    sigma=1.25,
                    type='SoftmaxHeatmap'),
                type='GenerateTarget'),
            dict(type='PackPoseInputs'),
        ],
        test_mode=True,
        type='CocoDataset'),
    num_workers=0,
    persistent_workers=False,
    sampler=dict(round_up=False, shuffle=False, type='DefaultSampler'))
val_evaluator = [
    dict(
        ann_file='data/drawn/annotations/person_keypoints_val.json',
        type='PycocoMetric'),
    dict(type='HeatmapNLL'),
]
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(input_size=(
        64,
        96,
    ), type='TopdownAffine', use_udp=True),
    dict(
        encoder=dict(
            blur_kernel_size=5,
            heatmap_size=(
                16,
                24,
            ),
            input_size=(
                64,
                96,
            ),
            sigma=1.25,
            type='SoftmaxHeatmap'),
        type='GenerateTarget'),
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
warp = dict(
    input_size=(
        64,
        96,
    ), type='TopdownAffine', use_udp=True)
