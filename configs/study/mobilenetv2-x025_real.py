# mobilenetv2-x025_drawn.py on people in photographs.
_base_ = "../_base_/study_real.py"

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
