# Twice as wide as resnet18-8_real.py and trained for long: here the data limit, not the network.
_base_ = "resnet18-8_real.py"

epochs = 186
train_cfg = dict(max_epochs=epochs, val_interval=6)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], end=epochs, T_max=epochs),
]

model = dict(
    backbone=dict(stem_channels=16, base_channels=16),
    head=dict(in_channels=128, stages=((64,), (32,), (32,))),
)
