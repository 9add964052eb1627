# dyrelu_mobilenetv2_128x96.py trained twice as long, on LSP-extended too, whose persons have
# labelled limbs and no faces. R = 32 keeps the parameters at 4.7M.
_base_ = "dyrelu_mobilenetv2_128x96.py"

optim_wrapper = dict(constructor="DefaultOptimWrapperConstructor")  # as it was trained
epochs = 16
train_cfg = dict(max_epochs=epochs)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], end=epochs, T_max=epochs),
]

_R = 32
model = dict(
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=_R)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=_R)),
    ]
)

coco_mini_train = dict(
    type="CocoDataset",
    data_root=_base_.coco_mini,
    data_mode="topdown",
    ann_file="annotations/person_keypoints_train.json",
    data_prefix=dict(img="train/"),
    pipeline=[],
)
lspet = dict(
    type="CocoDataset",
    data_root=_base_.data_root + "/lspet/",
    data_mode="topdown",
    ann_file="annotations/person_keypoints_lspet.json",
    data_prefix=dict(img="images/"),
    pipeline=[],
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="CombinedDataset",
        metainfo=dict(from_file="configs/_base_/datasets/coco.py"),
        datasets=[coco_mini_train, lspet],
        pipeline=_base_.train_pipeline,
    )
)
