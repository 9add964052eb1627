# ResNet-18, 256x192: DyReLU-B at all 17 sites of the backbone, DyReLU-C in the head.
_base_ = "baselines/resnet18.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
    ],
)
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")
