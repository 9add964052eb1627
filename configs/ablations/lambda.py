# The ranges of slopes (lambda_a) and intercepts (lambda_b), in backbone and head.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "a1.0-b0.5"

cells = {
    f"a{a}-b{b}": dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8, lambda_a=a, lambda_b=b)),
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=4, lambda_a=a, lambda_b=b)),
        ]
    )
    for a, b in ((0.5, 0.5), (1.0, 0.5), (2.0, 0.5), (1.0, 0.0), (1.0, 0.25), (1.0, 1.0))
}
