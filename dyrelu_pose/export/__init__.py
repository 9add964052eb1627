"""Models as ONNX files: export, comparison, int8, and evaluation of the file itself."""
