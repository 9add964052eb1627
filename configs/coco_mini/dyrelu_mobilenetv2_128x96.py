# The DyReLU twin of mobilenetv2_128x96.py: B in the backbone, C in the head, nothing else changed.
_base_ = "mobilenetv2_128x96.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
    ],
)
