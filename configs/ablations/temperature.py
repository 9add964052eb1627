# The spatial map of DyReLU-C in the head: temperature tau, and gamma, the value of a flat map.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "tau10-gamma0.33"

cells = {
    f"tau{tau}-gamma{gamma:.2f}": dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=4, tau=tau, gamma=gamma)),
        ]
    )
    for tau, gamma in (
        *((1, 1 / 3), (3, 1 / 3), (10, 1 / 3), (30, 1 / 3)),
        *((10, 1 / 6), (10, 2 / 3), (10, 1.0)),
    )
}
