# MobileNetV2 x1.0 as a classifier, with DyReLU-B in place of every ReLU6.
_base_ = "mobilenetv2.py"

model = dict(
    type="DyReLUClassifier",
    input_size=_base_.input_size,
    dyrelu=[dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8))],
)
