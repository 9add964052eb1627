"""The inputs of an ONNX file, read from its bytes: OpenCV's dnn module does not tell them.

A file is a message of Protocol Buffers; the numbers of its fields are those of `onnx.proto`. Only
what leads to the inputs is looked at, so that neither `onnx` nor a runtime is needed.
"""

from collections import defaultdict
from pathlib import Path

from dyrelu_pose.errors import UserError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
FLOAT32 = 1  # of TensorProto.DataType

# Fields, by message: ModelProto, GraphProto, TensorProto, ValueInfoProto, TypeProto, its Tensor,
# TensorShapeProto, its Dimension.
GRAPH, INITIALIZER, INPUT, TENSOR_NAME = 7, 5, 11, 8
VALUE_NAME, VALUE_TYPE, TENSOR_TYPE, ELEMENT, SHAPE, DIM, DIM_VALUE = 1, 2, 1, 1, 2, 1, 1


def picture_input(path: Path) -> tuple[str, tuple[int, int]]:
    """Return the name of a file's one input, and the width and height of the pictures it takes.

    Raises:
        UserError: It is not an ONNX file, or does not take float32 (1 or any, 3, height, width).
    """
    try:
        graph = _fields(_fields(memoryview(path.read_bytes()))[GRAPH][0])
        weights = {_text(_fields(tensor)[TENSOR_NAME][0]) for tensor in graph[INITIALIZER]}
        inputs = [_input(value) for value in graph[INPUT]]
    except (IndexError, TypeError, ValueError) as error:
        raise UserError(
            f"detector {path} is not an ONNX file, or damaged: copy it again"
        ) from error
    inputs = [value for value in inputs if value[0] not in weights]  # old files list these too
    if len(inputs) == 1:
        name, kind, shape = inputs[0]
        if kind == FLOAT32 and len(shape) == 4 and shape[0] in (0, 1) and shape[1] == 3:
            height, width = shape[2:]
            if height and width:
                return name, (width, height)
    listed = ", ".join(f"{name} {_shown(shape)}" for name, _, shape in inputs) or "none"
    raise UserError(
        f"detector {path} takes the inputs {listed}: it has to take one, float32 "
        "(1, 3, height, width), with fixed height and width"
    )


def _input(value: memoryview) -> tuple[str, int, list[int]]:
    """Return name, type and shape of a ValueInfoProto; a length that is not fixed is 0."""
    fields = _fields(value)
    tensor = _fields(_fields(fields[VALUE_TYPE][0])[TENSOR_TYPE][0])
    lengths = [_fields(dim)[DIM_VALUE] for dim in _fields(tensor[SHAPE][0])[DIM]]
    return _text(fields[VALUE_NAME][0]), tensor[ELEMENT][0], [int(*v) for v in lengths]


def _shown(shape: list[int]) -> str:
    return f"({', '.join(str(length or 'any') for length in shape)})"


def _text(content: memoryview) -> str:
    return bytes(content).decode()


def _fields(message: memoryview) -> defaultdict[int, list]:
    """Return the values of a message by field number: ints, or views of bytes.

    Raises:
        IndexError: It ends in the middle of a value.
        ValueError: It has a wire type that there is not.
    """
    found: defaultdict[int, list] = defaultdict(list)
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(message, at)
        else:
            if kind == BYTES:
                length, at = _varint(message, at)
            else:
                length = {FIXED64: 8, FIXED32: 4}.get(kind, -1)
            if length < 0:
                raise ValueError(f"wire type {kind}")
            if at + length > len(message):
                raise IndexError("cut off")
            value, at = message[at : at + length], at + length
        found[key >> 3].append(value)
    return found


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number written in sevens of bits, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
