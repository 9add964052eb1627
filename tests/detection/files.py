"""Tiny detectors as ONNX files, which return what they are told whatever they see."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = (64, 96)  # width and height of their input
LEVELS = {8: (8, 12), 16: (4, 6), 32: (2, 3), 64: (1, 2)}  # columns and rows by stride


def cell(stride, column, row, strides=(8, 16, 32)):
    """Return which of all cells one is."""
    before = sum(w * h for s, (w, h) in LEVELS.items() if s in strides and s < stride)
    return before + row * LEVELS[stride][0] + column


def count(*strides):
    """Return how many cells the strides have."""
    return sum(w * h for s, (w, h) in LEVELS.items() if s in strides)


def write(path, outputs, shape=(1, 3, 96, 64), kind=TensorProto.FLOAT):
    """Write a file whose outputs, arrays by name, are the given ones, plus 0 times the picture."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    weights = [numpy_helper.from_array(np.float32(0), "zero")]
    for name, values in outputs.items():
        weights.append(numpy_helper.from_array(values.astype(np.float32), f"{name}_values"))
        nodes.append(helper.make_node("Add", [f"{name}_values", "nothing"], [name]))
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("images", kind, shape)],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in outputs.items()],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


def yolox(path, people, decoded=False):
    """Write a YOLOX of boxes (cell's stride, column, row, score, left, top, right, bottom)."""
    values = np.zeros((1, count(8, 16, 32), 85))
    if decoded:
        for stride, (columns, rows) in ((s, LEVELS[s]) for s in (8, 16, 32)):
            for at in np.ndindex(rows, columns):
                row = values[0, cell(stride, *at[::-1])]
                row[:4] = *((at[::-1] + np.array(0.5)) * stride), stride, stride
    for stride, column, row, score, left, top, right, bottom in people:
        center, size = np.array([left + right, top + bottom]) / 2, (right - left, bottom - top)
        if not decoded:
            center, size = center / stride - (column, row), np.log(np.array(size) / stride)
        values[0, cell(stride, column, row)] = [*center, *size, 0.9, score / 0.9, *[0.0] * 79]
    return write(path, dict(output=values))


def nanodet(path, people, plus=False, joined=False, reg_max=7):
    """Write a NanoDet of boxes, as `yolox`; distances are whole strides from the cell's point."""
    strides = (8, 16, 32, 64) if plus else (8, 16, 32)
    scores = np.zeros((1, count(*strides), 80))
    distances = np.zeros((1, count(*strides), 4, reg_max + 1))
    scores[..., 1] = 0.99  # bicycles everywhere
    for stride, column, row, score, *box in people:
        point = (np.array((column, row)) + (0 if plus else 0.5)) * stride
        found = np.concatenate((point - box[:2], box[2:] - point)) / stride
        at = cell(stride, column, row, strides)
        scores[0, at, 0] = score
        for side, distance in enumerate(found):
            low = int(distance)
            for whole, part in ((low, low + 1 - distance), (low + 1, distance - low)):
                if part:
                    distances[0, at, side, whole] = 50 + np.log(part)
    distances = distances.reshape(1, len(scores[0]), -1)
    if joined:
        return write(path, dict(output=np.concatenate((scores, distances), axis=2)))
    ends = np.cumsum([count(stride) for stride in strides])[:-1]
    parts = {}
    for kind, values in (("dis", distances), ("cls", scores)):  # in any order
        for stride, part in zip(strides, np.split(values, ends, axis=1), strict=True):
            parts[f"{kind}_{stride}"] = part
    return write(path, parts)


# Of the tests of tools. A picture of 120 x 90 fits into the input at a scale of 64 / 120.
PEOPLE = [(8, 1, 2, 0.9, 4.0, 8.0, 20.0, 44.0), (16, 3, 1, 0.6, 40.0, 10.0, 60.0, 40.0)]


def in_picture(person):
    """Return left, top, right, bottom of one of PEOPLE in a picture of 120 x 90."""
    return [edge * 120 / 64 for edge in PEOPLE[person][4:]]


def corners(box):
    """Return left, top, right, bottom of a COCO box."""
    left, top, width, height = box
    return [left, top, left + width, top + height]
