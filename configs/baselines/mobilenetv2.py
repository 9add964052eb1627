# MobileNetV2 x1.0 with the paper's light head, ReLU6, from scratch: dyrelu_mobilenetv2.py's twin.
_base_ = (
    "mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_mobilenetv2_8xb64-210e_coco-256x192.py"
)
custom_imports = dict(imports=["dyrelu_pose"], allow_failed_imports=False)

model = dict(
    backbone=dict(init_cfg=None),
    head=dict(
        _delete_=True,
        type="InvertedResidualHead",
        in_channels=1280,
        out_channels=17,
        loss=dict(type="KeypointMSELoss", use_target_weight=True),
        decoder=_base_.codec,
    ),
)

# The paper's schedule: Adam, cut tenfold at epochs 170 and 200 of 210, as MMPose does too.
optim_wrapper = dict(optimizer=dict(lr=1e-3))

val_evaluator = dict(type="PycocoMetric")
test_evaluator = val_evaluator
