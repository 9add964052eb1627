"""What a model costs: parameters, multiply-adds, and memory kept for the backward pass."""

from .costs import Cost, has_own_cost, own_cost
from .measure import Complexity, measure
from .report import Row, format_rows, write_records, write_rows

__all__ = [
    "Complexity",
    "Cost",
    "Row",
    "format_rows",
    "has_own_cost",
    "measure",
    "own_cost",
    "write_records",
    "write_rows",
]
