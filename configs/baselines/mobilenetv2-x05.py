# MobileNetV2 x0.5 with the paper's light head, ReLU6: the twin of dyrelu_mobilenetv2-x05.py.
_base_ = "mobilenetv2.py"

model = dict(backbone=dict(widen_factor=0.5))  # the last layer keeps its 1280 channels
