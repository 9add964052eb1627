# Seconds a cell, for the tests: what it measures means nothing.
base = "../demo/resnet18.py"
baseline = "relu"

options = {
    "model.backbone.stem_channels": 8,
    "model.backbone.base_channels": 8,
    "model.head.in_channels": 64,
    "model.head.stages": ((16,), (16,), (16,)),
    "train_cfg.max_epochs": 1,
    "train_cfg.val_interval": 1,
    "train_dataloader.batch_size": 8,
    "train_dataloader.num_workers": 0,
    "train_dataloader.persistent_workers": False,
    "train_dataloader.dataset.indices": 16,
    "val_dataloader.num_workers": 0,
    "val_dataloader.persistent_workers": False,
    "default_hooks.checkpoint.save_best": None,
    "default_hooks.logger.interval": 1,
}
cells = dict(
    relu=dict(dyrelu=[]),
    dyrelu=dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB")),
            dict(sites="head.*", act=dict(type="DyReLUC")),
        ]
    ),
)
