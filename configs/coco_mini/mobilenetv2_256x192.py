# configs/baselines/mobilenetv2.py on COCO-mini.
_base_ = "../baselines/mobilenetv2.py"

data_root = "{{$DYRELU_DATA:data}}/coco_mini/"

train_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file="annotations/person_keypoints_train.json",
        data_prefix=dict(img="train/"),
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file="annotations/person_keypoints_val.json",
        bbox_file=None,  # ground-truth boxes
        data_prefix=dict(img="val/"),
    )
)
test_dataloader = val_dataloader

val_evaluator = dict(
    ann_file=data_root + "annotations/person_keypoints_val.json",
    use_area=False,  # the areas in COCO-mini are the boxes' already
)
test_evaluator = val_evaluator
