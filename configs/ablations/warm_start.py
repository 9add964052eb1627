# A trained ReLU6 model goes on for an eighth of its schedule: as it is, and as DyReLU, which starts
# from the same function (but for values above 6). The checkpoint is that of the matrix's baseline:
#     python tools/ablate.py configs/ablations/matrix.py --cells none+none
#     python tools/ablate.py configs/ablations/warm_start.py --seeds 0 1 2 \
#         --cfg-options load_from=work_dirs/ablations/matrix/none+none/seed0-.../epoch_8.pth
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "relu"

options = {
    "model.backbone.init_cfg": None,
    "optim_wrapper.optimizer.lr": 2e-4,
    "train_cfg.max_epochs": 1,
    "train_cfg.val_interval": 1,
    "param_scheduler.1.end": 1,
    "param_scheduler.1.T_max": 1,
    "default_hooks.checkpoint.interval": 1,
}
cells = dict(
    relu=dict(dyrelu=[]),
    dyrelu=dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
            # three times the paper's map: exactly ReLU at the start
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=4, gamma=1.0, cap=3.0)),
        ]
    ),
)
