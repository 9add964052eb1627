# Starts from the model in checkpoints/ instead of ImageNet weights, on pictures instead of crops: a
# base for data of your own. Here they are COCO-mini's.
_base_ = "dyrelu_mobilenetv2-multiscale_128x96.py"

load_from = "checkpoints/dyrelu_mobilenetv2-multiscale_128x96.pth"
model = dict(backbone=dict(init_cfg=None), test_cfg=dict(output_heatmaps=False))

coco_mini = _base_.data_root + "/coco_mini/"
train_dataloader = dict(
    num_workers=2,
    persistent_workers=True,
    dataset=dict(
        _delete_=True,
        type="CocoDataset",
        data_root=coco_mini,
        data_mode="topdown",
        ann_file="annotations/person_keypoints_train.json",
        data_prefix=dict(img="train/"),
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(num_workers=2, persistent_workers=True)
test_dataloader = val_dataloader
val_evaluator = dict(
    _delete_=True,
    type="PycocoMetric",
    ann_file=coco_mini + "annotations/person_keypoints_val.json",
    use_area=False,
)
test_evaluator = val_evaluator
