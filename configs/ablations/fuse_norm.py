# Whether B computes the batch norm in front of it: the same function, so AP may differ by rounding.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "separate"

cells = {
    name: dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8), fuse_norm=fused),
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
        ]
    )
    for name, fused in (("separate", False), ("fused", True))
}
