# resnet18-8_drawn.py on a fifth of its people, for `make demo`: minutes.
_base_ = "resnet18-8_drawn.py"

data_root = "data/demo/"

epochs = 10
train_cfg = dict(max_epochs=epochs)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], end=epochs, T_max=epochs),
]

train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader

val_evaluator = [
    dict(_base_.val_evaluator[0], ann_file=data_root + "annotations/person_keypoints_val.json"),
    _base_.val_evaluator[1],
]
test_evaluator = val_evaluator
