# Whether the model in checkpoints/ is ahead of its twin by more than the luck of one seed: both as
# they were trained for it, an hour and a half of a CPU thread each.
base = "../coco_mini/mobilenetv2-multiscale_128x96.py"
baseline = "ReLU6"

cells = {
    "ReLU6": {},
    "B+C": dict(config="../coco_mini/dyrelu_mobilenetv2-multiscale_128x96.py"),
}
