# K, the number of linear branches. K = 1 is a dynamic linear map, without any kink.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "k2"

cells = {
    f"k{k}": dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8, k=k)),
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=4, k=k)),
        ]
    )
    for k in (1, 2, 3, 4)
}
