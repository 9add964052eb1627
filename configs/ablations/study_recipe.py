# What the study's recipe was chosen by, on its ReLU network alone, in half the epochs: rate, batch.
# It stays the same for every row. MobileNetV2's:
#     python tools/ablate.py configs/ablations/study_recipe.py \
#         --base configs/study/mobilenetv2-x025_drawn.py
base = "../study/resnet18-8_drawn.py"
baseline = "1.6e-2"

_epochs = 4
options = {
    "train_cfg.max_epochs": _epochs,
    "param_scheduler.1.end": _epochs,
    "param_scheduler.1.T_max": _epochs,
}
_rate, _batch = "optim_wrapper.optimizer.lr", "train_dataloader.batch_size"
cells = {
    "1e-3": dict(dyrelu=[], options={_rate: 1e-3}),
    "2e-3": dict(dyrelu=[], options={_rate: 2e-3}),
    "4e-3": dict(dyrelu=[], options={_rate: 4e-3}),
    "8e-3": dict(dyrelu=[], options={_rate: 8e-3}),
    "1.6e-2": dict(dyrelu=[], options={_rate: 1.6e-2}),
    "2e-3-batch64": dict(dyrelu=[], options={_rate: 2e-3, _batch: 64}),
    "4e-3-batch64": dict(dyrelu=[], options={_rate: 4e-3, _batch: 64}),
    "8e-3-batch64": dict(dyrelu=[], options={_rate: 8e-3, _batch: 64}),
}
