# MobileNetV2 x1.0 from ImageNet weights, a narrow light head, ReLU6, 128x96: the recipe of the
# study on COCO-mini, a quarter of an hour on a CPU core. results/README.md says what was tried.
_base_ = "../_base_/topdown.py"

data_root = "{{$DYRELU_DATA:data}}"
coco_mini = data_root + "/coco_mini/"

optim_wrapper = dict(optimizer=dict(lr=1e-3))
auto_scale_lr = dict(base_batch_size=16)

# 24x32 cells are coarse: UDP targets and decoding keep the fraction of a cell.
codec = dict(
    type="SoftmaxHeatmap",
    input_size=(96, 128),
    heatmap_size=(24, 32),
    sigma=1.5,
    blur_kernel_size=7,
)

model = dict(
    backbone=dict(
        type="MobileNetV2",
        widen_factor=1.0,
        out_indices=(7,),
        init_cfg=dict(
            type="Pretrained", checkpoint=data_root + "/weights/mobilenetv2_imagenet_backbone.pth"
        ),
    ),
    head=dict(in_channels=1280, stages=((128, 128), (64,), (64,)), decoder=codec),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="RandomFlip", direction="horizontal"),
    # Little augmentation: so short a schedule underfits.
    dict(
        type="RandomBBoxTransform",
        shift_prob=0,
        scale_factor=(0.8, 1.25),
        rotate_factor=20,
        rotate_prob=0.5,
    ),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs"),
]
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="PackPoseInputs"),
]

train_dataloader = dict(batch_size=16, dataset=dict(data_root=coco_mini, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=coco_mini, pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(
    ann_file=coco_mini + "annotations/person_keypoints_val.json",
    use_area=False,  # the areas in COCO-mini are the boxes' already
)
test_evaluator = val_evaluator
