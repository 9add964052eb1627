# The DyReLU twin of mobilenetv2.py: B in the backbone, C in the head, nothing else changed.
_base_ = "mobilenetv2.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    input_size=_base_.codec.input_size,
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
    ],
)
