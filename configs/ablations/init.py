# How training starts: at a static ReLU, C's map making it ReLU / 3 ("relu") or ReLU ("relu-flat1"),
# or at random coefficients, as in public ports ("default").
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "relu"

cells = {
    name: dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8, init=start)),
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=4, init=start, **spatial)),
        ]
    )
    for name, start, spatial in (
        ("relu", "relu", {}),
        ("relu-flat1", "relu", dict(gamma=1.0, cap=3.0)),
        ("default", "default", {}),
    )
}
