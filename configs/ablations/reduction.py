# R of the hyper function: b8-c4 is B with R = 8 in the backbone and C with R = 4 in the head.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "b8-c4"

cells = {
    f"b{b}-c{c}": dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=b)),
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=c)),
        ]
    )
    for b, c in ((4, 4), (8, 4), (16, 4), (32, 4), (8, 8), (8, 16), (8, 32))
}
