"""Check that the metrics which a training goes by are evaluated in it."""

from collections.abc import Iterator, Sequence

from mmengine.config import Config
from mmengine.registry import HOOKS

from .errors import ConfigError
from .parts import hooks_of, listed


def check_monitors(cfg: Config, names: Sequence[str]) -> None:
    """Check the metrics that hooks and schedules name, such as `save_best`.

    Args:
        cfg: Config of a training.
        names: Of the metrics that its validation yields, the first of which is `auto`.

    Raises:
        ConfigError: Names the key, the metric, and those that there are; or it is not known whether
            more of a metric is better.
    """
    there_are = f"val_evaluator yields {', '.join(names) or 'none'}"
    for key, part, entry in _monitors(cfg):
        given = part[entry] if isinstance(part[entry], list | tuple) else [part[entry]]
        monitored = [names[0] if name == "auto" and names else name for name in given]
        for name in monitored:
            if name not in names:
                raise ConfigError(f"{key}.{entry} of the config is {name}, and {there_are}")
        if entry == "save_best":
            try:
                HOOKS.build({**part, entry: monitored})
            except ValueError as error:
                raise ConfigError(
                    f"{key}.{entry} of the config is {part[entry]}: {error}"
                ) from error


def _monitors(cfg: Config) -> Iterator[tuple[str, dict, str]]:
    """Yield (key, config, name of the entry) of what goes by a metric."""
    schedules = enumerate(listed(cfg.get("param_scheduler")))
    parts = hooks_of(cfg) | {f"param_scheduler.{i}": part for i, part in schedules}
    for key, part in parts.items():
        for entry in ("save_best", "monitor"):
            if isinstance(part, dict) and part.get(entry):
                yield key, part, entry
