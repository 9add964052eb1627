# MobileNetV3-Small as it was published, with ReLU, h-swish and squeeze-and-excitation, under the
# paper's light head: what dyrelu_mobilenetv3-small.py is compared to (second-hand figure).
_base_ = "mobilenetv2.py"

model = dict(
    backbone=dict(_delete_=True, type="MobileNetV3", arch="small"),
    head=dict(in_channels=96),
)
