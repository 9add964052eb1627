# The model in checkpoints/: B where the backbone is trained, C in the head, at rates of their own;
# nothing else differs from mobilenetv2-multiscale_128x96.py. R = 32 keeps the file small, and the
# layers cheap where they are deployed.
_base_ = "mobilenetv2-multiscale_128x96.py"

model = dict(
    type="DyReLUPoseEstimator",
    estimator="TopdownPoseEstimator",
    dyrelu=[
        dict(sites="backbone.layer[3-7].*", act=dict(type="DyReLUB", reduction=32), fuse_norm=True),
        dict(sites="head.*", act=dict(type="DyReLUC", reduction=32)),
    ],
)
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")
