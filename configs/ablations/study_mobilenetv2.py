# study_resnet18.py for MobileNetV2 x0.25, whose expanded maps have so many channels that R is 16.
# Weights and multiply-adds at 96x64, of --dry-run: ReLU 0.15M and 5.42M, C 0.35M and 6.85M, C+C
# 0.37M and 7.18M, C+linear, as in the paper behind all three convolutions of a block, 0.36M and
# 7.00M. x0.3 has more multiply-adds (8.44M; 0.24M weights), x0.4 more of both (0.38M, 13.21M).
# Times of a step: benchmarks/steps.py; C is between x0.3 and x0.4.
base = "../study/mobilenetv2-x025_drawn.py"
baseline = "ReLU"
other_baselines = ("ReLU-x0.3", "ReLU-x0.4", "ReLU-x0.5")
curves = ("ReLU", "C", "C+linear", "SE", "ReLU-x0.3", "ReLU-x0.5")


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
    "C+linear": [_C, dict(_C, linear=True)],
    "SE": [_act("backbone.*", "SEReLU")],
    "PReLU": [dict(sites="backbone.*", act=dict(type="ChannelPReLU"))],
}
options = {"optim_wrapper.constructor": "DyReLUOptimWrapperConstructor"}
cells = {
    **{name: dict(dyrelu=rules) for name, rules in _rules.items()},
    "ReLU-x0.3": _wider(0.3, 96, 20),
    "ReLU-x0.4": _wider(0.4, 128, 28),
    "ReLU-x0.5": _wider(0.5, 160, 48),
}
