# MobileNetV2 x0.25 without its layer of 1280 channels, a light head, ReLU, on drawn people.
_base_ = "../_base_/study.py"

model = dict(
    backbone=dict(
        type="MobileNetV2WithoutLastConv",
        widen_factor=0.25,
        out_indices=(6,),
        act_cfg=dict(type="ReLU"),
    ),
    head=dict(in_channels=80, stages=((32, 32), (16,), (16,))),
)
optim_wrapper = dict(optimizer=dict(lr=1.6e-2))  # of configs/ablations/study_recipe.py
