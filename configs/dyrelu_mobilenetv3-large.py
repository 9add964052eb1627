# MobileNetV3-Large, the paper's keypoint setting: DyReLU-B in the place of ReLU, h-swish and
# squeeze-and-excitation, DyReLU-C in the head.
_base_ = "baselines/mobilenetv3-large.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
    ],
    backbone=dict(type="MobileNetV3WithoutSE"),
)
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")
