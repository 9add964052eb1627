# matrix.py on drawn people with a small ResNet-18: about a minute a cell on one CPU thread.
_base_ = "matrix.py"

base = "../demo/resnet18.py"
_epochs = 3
options = {
    "model.backbone.stem_channels": 16,
    "model.backbone.base_channels": 16,
    "model.head.in_channels": 128,
    "model.head.stages": ((64,), (32,), (32,)),
    "train_cfg.max_epochs": _epochs,
    "train_cfg.val_interval": _epochs,
    "param_scheduler.1.end": _epochs,
    "param_scheduler.1.T_max": _epochs,
    "train_dataloader.num_workers": 0,  # one thread in all
    "train_dataloader.persistent_workers": False,
    "val_dataloader.num_workers": 0,
    "val_dataloader.persistent_workers": False,
    "default_hooks.checkpoint.save_best": None,  # the last epoch is compared
    "default_hooks.checkpoint.interval": 1,
    "optim_wrapper.optimizer.lr": 4e-3,
}
