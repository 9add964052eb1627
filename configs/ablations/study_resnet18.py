# Whether DyReLU gains where the network is too small for its data: ResNet-18 of an eighth of the
# width on drawn people and, with --base, on people in photographs. Weights and multiply-adds at
# 96x64, of --dry-run: ReLU 0.19M and 6.50M, C 0.22M and 6.72M, C+C 0.25M and 7.04M, C-R1 0.30M and
# 6.80M; ReLU of 9 channels 0.24M and 7.92M, of 10 channels 0.29M and 9.48M, of 11 channels 0.35M
# and 11.17M. Times of a step: benchmarks/steps.py; C takes no more of it than ReLU of 9 channels.
# C-flat1 starts as ReLU, where C starts at a third of it, and so hands on a third of each shortcut.
# C-R1 has as many hidden units as channels, where R 4 leaves 2 of them to 8 channels.
# C-slow: hyper functions at an eighth of the default rate, which was chosen at a rate of 2e-3, an
# eighth of the study's.
base = "../study/resnet18-8_drawn.py"
baseline = "ReLU"
other_baselines = ("ReLU-9", "ReLU-10", "ReLU-11", "B", "C", "PReLU")
curves = ("ReLU", "B", "C", "SE", "ReLU-9", "ReLU-10")


def _act(sites, act, **options):
    return dict(sites=sites, act=dict(type=act, **options))


def _wider(channels):
    return dict(
        dyrelu=[],
        options={
            "model.backbone.stem_channels": channels,
            "model.backbone.base_channels": channels,
            "model.head.in_channels": 8 * channels,
            "model.head.stages": ((4 * channels,), (2 * channels,), (2 * channels,)),
        },
    )


_B, _C = (_act("backbone.*", f"DyReLU{variant}") for variant in "BC")
_head = _act("head.*", "DyReLUC")
_rules = {
    "ReLU": [],
    "B": [_B],
    "C": [_C],
    "C-flat1": [_act("backbone.*", "DyReLUC", gamma=1.0, cap=3.0)],
    "C-R1": [_act("backbone.*", "DyReLUC", reduction=1)],
    "none+C": [_head],
    "B+C": [_B, _head],
    "C+C": [_C, _head],
    "SE": [_act("backbone.*", "SEReLU")],
    "PReLU": [_act("backbone.*", "ChannelPReLU")],
}
options = {"optim_wrapper.constructor": "DyReLUOptimWrapperConstructor"}
cells = {
    **{name: dict(dyrelu=rules) for name, rules in _rules.items()},
    "C-slow": dict(dyrelu=[_C], options={"optim_wrapper.paramwise_cfg.hyper_lr_scale": 0.5}),
    "ReLU-9": _wider(9),
    "ReLU-10": _wider(10),
    "ReLU-11": _wider(11),
}
