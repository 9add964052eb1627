"""What `tools/train.py` adds to every config, so that nothing is lost or silently wrong."""

from mmengine.config import Config


def add_safeguards(cfg: Config) -> None:
    """Add the project's hooks and its train loop to a training's config, in place.

    `StartHook`, `NonFiniteLossHook`, `PreemptionHook` and `HyperRateHook` always,
    `ReproducibleHook` for a deterministic training, `ResumableTrainLoop` in place of MMEngine's
    loop over epochs.
    """
    always = ("StartHook", "NonFiniteLossHook", "PreemptionHook", "HyperRateHook")
    hooks = [dict(type=name) for name in always]
    if cfg.get("randomness", {}).get("deterministic"):
        hooks.append(dict(type="ReproducibleHook"))
    cfg.custom_hooks = [*(cfg.get("custom_hooks") or ()), *hooks]
    if cfg.train_cfg.get("by_epoch") and "type" not in cfg.train_cfg:
        cfg.train_cfg.pop("by_epoch")
        cfg.train_cfg.type = "ResumableTrainLoop"
