"""Write model-index.yml and its metafiles from results/: `python tools/dev/model_index.py`.

OpenMMLab's tools read them: a file per family with each config, its parameters and, as FLOPs, its
multiply-adds, and where a record is known the AP on COCO-mini and the weights. With `--check`
nothing is written, and the exit status says whether the files are up to date.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.paths import CONFIGS, ROOT, SHIPPED_CHECKPOINT
from dyrelu_pose.records.files import read_csv, write_text

INDEX, FOLDER = ROOT / "model-index.yml", CONFIGS / "metafiles"
COSTS = ROOT / "results/complexity/models.csv"
# What the names of a family's configs hold, and what its architecture is called.
FAMILIES = {
    "hrnet": "HRNet",
    "mobilenetv2": "MobileNetV2",
    "mobilenetv3": "MobileNetV3",
    "resnet": "ResNet",
}
PAPER = dict(Title="Dynamic ReLU", URL="https://arxiv.org/abs/2003.10027")
METRICS = {
    "AP": "coco/AP",
    "AP@0.5": "coco/AP .5",
    "AP@0.75": "coco/AP .75",
    "AR": "coco/AR",
    "AR@0.5": "coco/AR .5",
}
HEADER = "# Made by tools/dev/model_index.py from results/: run it instead of editing this.\n"


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(": `")[0])
    parser.add_argument("--check", action="store_true", help="only say whether they are up to date")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write or check the files."""
    args = parse_args(argv)
    made = files()
    stale = {path for path in FOLDER.glob("*") if path not in made}
    stale |= {path for path, text in made.items() if not path.exists() or path.read_text() != text}
    if args.check and stale:
        raise UserError(f"{of(min(stale))} is out of date: run this script")
    for path in stale - made.keys():
        path.unlink()
    for path in stale & made.keys():
        write_text(path, made[path])


def files() -> dict[Path, str]:
    """Return the content of the index and of every metafile."""
    counted = [row for row in read_csv(COSTS) if row["baseline"]]  # others: twins without rules
    metafiles = {
        family: metafile(
            f"DyReLU {architecture}",
            architecture,
            [costed(row) for row in counted if family_of(row["model"]) == family],
        )
        for family, architecture in FAMILIES.items()
    }
    model = published()
    architecture = FAMILIES[family_of(model["Config"])]
    metafiles["published"] = metafile("DyReLU published", architecture, [model])
    made = {FOLDER / f"{name}.yml": as_yaml(content) for name, content in metafiles.items()}
    made[INDEX] = as_yaml(dict(Import=[of(path) for path in made]))
    return made


def metafile(name: str, architecture: str, models: Sequence[dict]) -> dict:
    """Return a collection and its models."""
    collection = dict(
        Name=name, Metadata=dict(Architecture=[architecture, "Dynamic ReLU"]), Paper=PAPER
    )
    return dict(Collections=[collection], Models=[{**m, "In Collection": name} for m in models])


def costed(row: dict[str, str]) -> dict:
    """Return the entry of a config whose cost was counted."""
    # Height and width of the input that the multiply-adds are of.
    size = {"Input Size": row["input"]}
    return entry(row["model"], int(row["params"]), int(row["madds"]), size)


def published() -> dict:
    """Return the entry of the model whose card stands beside its weights."""
    card = SHIPPED_CHECKPOINT.with_suffix(".json")
    facts = json.loads(card.read_bytes())
    training = json.loads((ROOT / facts["training"]).read_bytes())
    more = dict(Epochs=training["epochs"], Record=of(card))
    result = dict(
        Task="Body 2D Keypoint",
        Dataset="COCO-mini",
        Metrics={name: round(facts["metrics"][key], 3) for name, key in METRICS.items()},
    )
    return dict(
        **entry(facts["config"], facts["parameters"], facts["multiply_adds"], more),
        Results=[result],
        Weights=of(SHIPPED_CHECKPOINT),
    )


def entry(config: str, params: int, madds: int, more: Mapping[str, object]) -> dict:
    """Return what every model has."""
    name = "_".join(Path(config).relative_to("configs").with_suffix("").parts)
    return dict(Name=name, Config=config, Metadata=dict(Parameters=params, FLOPs=madds, **more))


def family_of(config: str) -> str:
    """Return the family of a config.

    Raises:
        UserError: Its name holds none of them.
    """
    for family in FAMILIES:
        if family in Path(config).stem:
            return family
    raise UserError(f"{config} is of none of the families {', '.join(FAMILIES)}: add its own here")


def of(path: Path) -> str:
    """Return a path as the files have it."""
    return path.relative_to(ROOT).as_posix()


def as_yaml(content: dict) -> str:
    """Return a file's text; entries keep their order."""
    return HEADER + yaml.safe_dump(content, sort_keys=False)


if __name__ == "__main__":
    with user_errors():
        main()
