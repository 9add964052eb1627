# The DyReLU twin of mobilenetv2_128x96.py: B in the backbone, C in the head, at rates of
# their own, nothing else changed.
_base_ = "mobilenetv2_128x96.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[
        dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
    ],
)
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")
# From the rate of each: 1e-5 is more than that of the widest matrices.
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], eta_min=None, eta_min_ratio=1e-2),
]
