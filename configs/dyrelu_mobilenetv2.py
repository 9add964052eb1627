# MobileNetV2 x1.0, the paper's keypoint setting: DyReLU-B in the backbone, DyReLU-C in the head.
_base_ = "baselines/mobilenetv2.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
    ],
)
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")
