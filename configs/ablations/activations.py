# What DyReLU is compared with, at every site of backbone and head; and a head so much wider that
# the ReLU6 model has as many parameters as the DyReLU one (12M), at seven times the multiply-adds.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "ReLU"

_acts = dict(
    ReLU=dict(type="ReLU"),
    ReLU6=None,  # as MobileNetV2 has it
    LeakyReLU=dict(type="LeakyReLU"),
    PReLU=dict(type="PReLU"),
    RReLU=dict(type="RReLU"),
    HSwish=dict(type="HSwish"),
    ChannelPReLU=dict(type="ChannelPReLU"),
    SEReLU=dict(type="SEReLU"),
    Maxout=dict(type="Maxout"),
    MaxoutPerChannel=dict(type="Maxout", per_channel=True),
)
cells = {
    **{
        name: dict(dyrelu=[dict(sites=["backbone.*", "head.*"], act=_acts[name])]) for name in _acts
    },
    "WiderReLU6": dict(dyrelu=[], options={"model.head.stages": ((960, 960), (64,), (64,))}),
    "DyReLU": dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
        ]
    ),
}
