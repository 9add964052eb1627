# HRNet-W32, 256x192: DyReLU-B at all 261 sites of the backbone, DyReLU-C in the head.
_base_ = "baselines/hrnet.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
    ],
)
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")
