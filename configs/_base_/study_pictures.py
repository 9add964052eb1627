# study.py for people in photographs, those of COCO-mini, at 128x96. What study_real.py trains on is
# cut out of them: see there.
_base_ = "study.py"

data_root = "{{$DYRELU_DATA:data}}/coco_mini/"

codec = dict(
    type="SoftmaxHeatmap",
    input_size=(96, 128),
    heatmap_size=(24, 32),
    sigma=1.5,
    blur_kernel_size=7,
)
model = dict(head=dict(decoder=codec))

warp = dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True)
target = dict(type="GenerateTarget", encoder=codec)
pack = dict(type="PackPoseInputs")
train_pipeline = [*_base_.train_pipeline[:-3], warp, target, pack]
val_pipeline = [*_base_.val_pipeline[:-3], warp, target, pack]

train_dataloader = dict(
    dataset=dict(type="CocoDataset", data_root=data_root, pipeline=train_pipeline)
)
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = [
    dict(
        type="PycocoMetric",
        ann_file=data_root + "annotations/person_keypoints_val.json",
        use_area=False,  # the areas in COCO-mini are the boxes' already
    ),
    dict(type="HeatmapNLL"),
]
test_evaluator = val_evaluator
