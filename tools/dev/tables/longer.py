"""A longer training with LSP-extended: ReLU6, DyReLU, and DyReLU with a slow FC1; one seed."""

import json

from .read import RESULTS, table

RUNS = {
    "ReLU6": "mobilenetv2_128x96_lspet",
    "B in the backbone, C in the head (R 32)": "dyrelu_mobilenetv2_128x96_lspet",
    "the same, FC1 at 0.03 of the learning rate": "dyrelu_mobilenetv2_128x96_lspet_slow_fc1",
}


def longer() -> str:
    """Return a row per model."""
    lines = []
    for name, stem in RUNS.items():
        record = json.loads((RESULTS / "coco_mini" / f"{stem}.json").read_text())
        percent = {key: f"{100 * value:.1f}" for key, value in record["metrics"].items()}
        lines.append(
            [
                name,
                f"{record['parameters'] / 1e6:.1f}M",
                *(percent[f"coco/{key}"] for key in ("AP", "AP .5", "AP .75", "AR")),
                str(record["epochs"]),
                f"{record['device']}; {record['note']}",
            ]
        )
    return table("activation | params | COCO-mini AP | AP50 | AP75 | AR | epochs | run", lines)
