"""What `tools/train.py` adds to every config, so that nothing is lost or silently wrong."""

from mmengine.config import Config


def add_safeguards(cfg: Config) -> None:
    """Add the project's hooks and its train loop to a training's config, in place.

    `StartHook`, `NonFiniteLossHook`, `PreemptionHook` and `HyperRateHook` always,
    `ReproducibleHook` for a deterministic training, unless they are there, as in a config that a
    training has dumped; `ResumableTrainLoop` in place of MMEngine's loop over epochs.
    """
    names = ["StartHook", "NonFiniteLossHook", "PreemptionHook", "HyperRateHook"]
    if cfg.get("randomness", {}).get("deterministic"):
        names.append("ReproducibleHook")
    add_hooks(cfg, *names)
    by_default = "EpochBasedTrainLoop" if cfg.train_cfg.get("by_epoch") else "IterBasedTrainLoop"
    if _name(cfg.train_cfg.get("type", by_default)) == "EpochBasedTrainLoop":
        cfg.train_cfg.pop("by_epoch", None)
        cfg.train_cfg.type = "ResumableTrainLoop"


def add_hooks(cfg: Config, *names: str) -> None:
    """Add hooks to a config, in place, but none that it has."""
    given = list(cfg.get("custom_hooks") or ())
    there = {
        _name(hook.get("type", "") if isinstance(hook, dict) else type(hook)) for hook in given
    }
    cfg.custom_hooks = [*given, *(dict(type=name) for name in names if name not in there)]


def _name(kind: str | type) -> str:
    """Return the name of a class, which a config may give with a scope, or as itself."""
    return kind.rpartition(".")[2] if isinstance(kind, str) else kind.__name__
