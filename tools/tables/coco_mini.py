"""The runs on COCO-mini."""

import json

from .read import RESULTS, table

METRICS = ("AP", "AP .5", "AP .75", "AR")


def coco_mini() -> str:
    """Return the table of the runs on COCO-mini, each DyReLU row below its ReLU twin."""
    records = [json.loads(path.read_text()) for path in (RESULTS / "coco_mini").glob("*.json")]
    records.sort(key=lambda r: (r["name"].removeprefix("dyrelu_"), r["name"].startswith("dyrelu_")))
    return table(
        "config | activation | params | COCO-mini AP | AP50 | AP75 | AR | epochs | seed | device",
        [
            [
                f"[{record['name']}]({record['config']})",
                "B backbone, C head" if record["name"].startswith("dyrelu_") else "ReLU6",
                f"{record['parameters'] / 1e6:.1f}M",
                *(f"{100 * record['metrics'][f'coco/{name}']:.1f}" for name in METRICS),
                str(record["epochs"]),
                str(record["seed"]),
                record["device"],
            ]
            for record in records
        ],
    )
