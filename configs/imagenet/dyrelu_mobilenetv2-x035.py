# MobileNetV2 x0.35 as a classifier, with DyReLU-B in place of every ReLU6.
_base_ = "dyrelu_mobilenetv2.py"

model = dict(backbone=dict(widen_factor=0.35))
