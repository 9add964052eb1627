# Which stages of MobileNetV2, by the stride of their maps: fine to 8, middle 16, coarse 32.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "none"

_sites = dict(
    fine=["backbone.conv1.*", "backbone.layer[1-3].*"],
    middle=["backbone.layer[4-5].*"],
    coarse=["backbone.layer[6-7].*", "backbone.conv2.*"],
)
_stages = (
    *(("fine",), ("middle",), ("coarse",)),
    *(("fine", "middle"), ("middle", "coarse"), ("fine", "middle", "coarse")),
)
cells = dict(
    none=dict(dyrelu=[]),
    **{
        "+".join(stages): dict(
            dyrelu=[
                dict(sites=_sites[stage], act=dict(type="DyReLUB", reduction=8)) for stage in stages
            ]
        )
        for stages in _stages
    },
)
