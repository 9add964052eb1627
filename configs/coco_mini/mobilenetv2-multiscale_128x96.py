# The ReLU6 twin of dyrelu_mobilenetv2-multiscale_128x96.py: MobileNetV2 x1.0 from ImageNet weights
# without its layer of 1280 channels, a light head on the maps of 8x6 and of 4x3 cells, which learns
# faster than one on 4x3 cells alone (results/coco_mini/tried_notes.csv). It trains on crops of
# COCO-mini and LSP-extended, which `make study-data` cuts.
_base_ = "../_base_/study_real.py"

data_root = "{{$DYRELU_DATA:data}}"

epochs = 32
train_cfg = dict(max_epochs=epochs)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
auto_scale_lr = dict(base_batch_size=32)
param_scheduler = [
    dict(_base_.param_scheduler[0], end=500),
    dict(_base_.param_scheduler[1], end=epochs, T_max=epochs),
]
custom_hooks = [
    *_base_.custom_hooks,
    dict(type="EMAHook", ema_type="ExpMomentumEMA", momentum=1e-3, update_buffers=True),
]

model = dict(
    backbone=dict(
        type="MobileNetV2WithoutLastConv",
        widen_factor=1.0,
        out_indices=(4, 6),
        frozen_stages=2,  # a third of a step's time
        init_cfg=dict(
            type="Pretrained", checkpoint=data_root + "/weights/mobilenetv2_imagenet_backbone.pth"
        ),
    ),
    neck=dict(type="FeatureMapProcessor", concat=True),
    head=dict(in_channels=96 + 320, stages=((96,), (64,)), act_cfg=dict(type="ReLU6")),
)

half_body = dict(
    type="RandomHalfBody", min_total_keypoints=9, min_upper_keypoints=3, min_lower_keypoints=3
)
train_pipeline = [*_base_.train_pipeline[:3], half_body, *_base_.train_pipeline[3:]]
coco_mini = dict(_base_.coco_mini, pipeline=train_pipeline)
lspet = dict(_base_.lspet, pipeline=train_pipeline)
train_dataloader = dict(batch_size=32, dataset=dict(datasets=[coco_mini, lspet]))
