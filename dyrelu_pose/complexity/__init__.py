"""What a model costs: parameters, multiply-adds, and memory kept for the backward pass."""

from .costs import Cost, has_own_cost, own_cost
from .measure import Complexity, measure
from .report import Row, format_rows, write_records, write_rows
from .twins import input_size_of, relu_twin

__all__ = [
    "Complexity",
    "Cost",
    "Row",
    "format_rows",
    "has_own_cost",
    "input_size_of",
    "measure",
    "own_cost",
    "relu_twin",
    "write_records",
    "write_rows",
]
