# The DyReLU twin of mobilenetv2_256x192.py: B in the backbone, C in the head, at rates of
# their own, nothing else changed.
_base_ = "mobilenetv2_256x192.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
    ],
)
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")
