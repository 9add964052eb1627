"""The facts of the published model, from the file beside it."""

import json

from .read import ROOT, table

CARD = ROOT / "checkpoints" / "dyrelu_mobilenetv2_128x96_lspet.json"


def model_card() -> str:
    """Return one fact per row."""
    card = json.loads(CARD.read_text())
    training = json.loads((ROOT / card["training"]).read_text())
    ap = {key.removeprefix("coco/"): value * 100 for key, value in card["metrics"].items()}
    facts = {
        "COCO-mini AP": f"{ap['AP']:.1f}",
        "AP50, AP75": f"{ap['AP .5']:.1f}, {ap['AP .75']:.1f}",
        "AR": f"{ap['AR']:.1f}",
        "parameters": f"{card['parameters'] / 1e6:.1f}M",
        "multiply-adds": f"{card['multiply_adds'] / 1e6:.0f}M",
        "one forward pass, one person": f"{card['latency_ms']:.1f} ms ({card['device']})",
        "file": f"{card['bytes'] / 1e6:.1f} MB, float16, weights only",
        "sha256": f"`{card['sha256']}`",
        "training": f"{training['epochs']} epochs, seed {training['seed']}, "
        f"{training['device']}, {training['date']}",
    }
    return table("fact | value", [[name, value] for name, value in facts.items()])
