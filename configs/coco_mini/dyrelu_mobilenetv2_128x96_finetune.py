# Starts from the model in checkpoints/ instead of ImageNet weights: a base for data of your own.
_base_ = "dyrelu_mobilenetv2_128x96_lspet.py"

load_from = "checkpoints/dyrelu_mobilenetv2_128x96_lspet.pth"
model = dict(backbone=dict(init_cfg=None))
optim_wrapper = dict(constructor="DyReLUOptimWrapperConstructor")
