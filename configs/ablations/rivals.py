# What DyReLU is compared with, at every site of backbone and head.
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
    "DyReLU": dict(
        dyrelu=[
            dict(sites="backbone.*", act=dict(type="DyReLUB", reduction=8)),
            dict(sites="head.*", act=dict(type="DyReLUC", reduction=4)),
        ]
    ),
}
