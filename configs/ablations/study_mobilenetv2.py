# study_resnet18.py for MobileNetV2 x0.25, whose expanded maps have so many channels that R is 16.
base = "../study/mobilenetv2-x025_drawn.py"
baseline = "ReLU"
rivals = ("ReLU-x0.3", "ReLU-x0.4")
curves = ("ReLU", "C", "C+C", "SE", "ReLU-x0.3", "ReLU-x0.4")


def _act(sites, act):
    return dict(sites=sites, act=dict(type=act, reduction=16))


def _wider(factor, channels, head):
    return dict(
        dyrelu=[],
        options={
            "model.backbone.widen_factor": factor,
            "model.head.in_channels": channels,
            "model.head.stages": ((2 * head, 2 * head), (head,), (head,)),
        },
    )


_B, _C = (_act("backbone.*", f"DyReLU{variant}") for variant in "BC")
_head = _act("head.*", "DyReLUC")
_rules = {
    "ReLU": [],
    "B": [_B],
    "C": [_C],
    "none+C": [_head],
    "B+C": [_B, _head],
    "C+C": [_C, _head],
    "SE": [_act("backbone.*", "SEReLU")],
    "PReLU": [dict(sites="backbone.*", act=dict(type="ChannelPReLU"))],
}
options = {"optim_wrapper.constructor": "DyReLUOptimWrapperConstructor"}
cells = {
    **{name: dict(dyrelu=rules) for name, rules in _rules.items()},
    "ReLU-x0.3": _wider(0.3, 96, 20),
    "ReLU-x0.4": _wider(0.4, 128, 28),
}
