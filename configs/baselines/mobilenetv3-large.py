# MobileNetV3-Large as it was published, with ReLU, h-swish and squeeze-and-excitation, under the
# paper's light head: what dyrelu_mobilenetv3-large.py is compared to (second-hand figure).
_base_ = "mobilenetv2.py"

model = dict(
    backbone=dict(_delete_=True, type="MobileNetV3", arch="big"),
    head=dict(in_channels=160),
)
