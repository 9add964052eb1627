# Where in the inverted residual of MobileNetV2; the rest of the model keeps ReLU6. Behind the
# projection MobileNetV2 has no activation: this backbone has a site there, the identity until used.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "none"
options = {"model.backbone.type": "MobileNetV2WithProjectSites"}

_sites = dict(
    expand=["backbone.layer[2-7].*.conv.0.activate"],
    # The block of layer1 does not expand: its first convolution is the depthwise one.
    depthwise=["backbone.layer1.*.conv.0.activate", "backbone.layer[2-7].*.conv.1.activate"],
    project=["backbone.*.conv.project"],
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
                dict(sites=_sites[place], act=dict(type="DyReLUB", reduction=8)) for place in places
            ]
        )
        for places in _places
    },
)
