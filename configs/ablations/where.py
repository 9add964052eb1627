# Where in the inverted residual of MobileNetV2; the rest of the model keeps ReLU6. Behind the
# projection MobileNetV2 has no activation: a linear site, where DyReLU starts as the identity.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "none"

_sites = dict(
    expand=dict(sites="backbone.layer[2-7].*.conv.0.activate"),
    # The block of layer1 does not expand: its first convolution is the depthwise one.
    depthwise=dict(
        sites=["backbone.layer1.*.conv.0.activate", "backbone.layer[2-7].*.conv.1.activate"]
    ),
    project=dict(sites="backbone.*", linear=True),
)
_places = (
    *(("expand",), ("depthwise",), ("project",)),
    *(("expand", "depthwise"), ("expand", "project"), ("depthwise", "project")),
    ("expand", "depthwise", "project"),
)
cells = dict(
    none=dict(dyrelu=[]),
    **{
        "+".join(places): dict(
            dyrelu=[
                dict(act=dict(type="DyReLUB", reduction=8), **_sites[place]) for place in places
            ]
        )
        for places in _places
    },
)
