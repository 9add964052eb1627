# ResNet-18 of an eighth of the width with a light head, ReLU: too small for 40,000 drawn people.
_base_ = "../_base_/study.py"

model = dict(
    backbone=dict(type="ResNet", depth=18, stem_channels=8, base_channels=8),
    head=dict(in_channels=64, stages=((32,), (16,), (16,))),
)
optim_wrapper = dict(optimizer=dict(lr=1.6e-2))  # of configs/ablations/study_recipe.py
