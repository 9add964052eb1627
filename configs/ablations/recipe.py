# What was tried before the recipe of mobilenetv2_128x96.py was frozen, in three epochs each:
# learning rate, batch, how fast the hyper function learns, temperature of C. For the outcome see
# results/README.md.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "relu"

_epochs = 3
options = {
    "train_cfg.max_epochs": _epochs,
    "train_cfg.val_interval": _epochs,
    "param_scheduler.1.end": _epochs,
    "param_scheduler.1.T_max": _epochs,
}


def _rules(backbone, head="DyReLUC", **spatial):
    of_backbone = spatial if backbone == "DyReLUC" else {}
    return [
        dict(sites="backbone.*", act=dict(type=backbone, reduction=8, **of_backbone)),
        dict(sites="head.*", act=dict(type=head, reduction=8, **spatial)),
    ]


def _hyper(times):
    keys = {f".{name}.": dict(lr_mult=times) for name in ("fc1", "fc2")}
    return {"optim_wrapper.paramwise_cfg.custom_keys": keys}


_rate, _batch = "optim_wrapper.optimizer.lr", "train_dataloader.batch_size"
cells = {
    "relu": dict(dyrelu=[]),
    "relu-lr2e-3": dict(dyrelu=[], options={_rate: 2e-3}),
    "relu-lr5e-4": dict(dyrelu=[], options={_rate: 5e-4}),
    "relu-lr5e-4-batch8": dict(dyrelu=[], options={_rate: 5e-4, _batch: 8}),
    "B+C": dict(dyrelu=_rules("DyReLUB")),
    "B+C-hyper3": dict(dyrelu=_rules("DyReLUB"), options=_hyper(3)),
    "B+C-hyper10": dict(dyrelu=_rules("DyReLUB"), options=_hyper(10)),
    "C+C-flat1": dict(dyrelu=_rules("DyReLUC", gamma=1.0, cap=3.0)),
    "C+C-flat1-tau1": dict(dyrelu=_rules("DyReLUC", gamma=1.0, cap=3.0, tau=1.0)),
}
