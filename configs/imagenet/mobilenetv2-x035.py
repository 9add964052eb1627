# MobileNetV2 x0.35, ReLU6, as a classifier: the plain twin.
_base_ = "mobilenetv2.py"

model = dict(backbone=dict(widen_factor=0.35))
