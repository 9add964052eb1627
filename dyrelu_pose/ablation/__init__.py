"""Ablations by config alone: a grid of cells, each trained from several seeds, and their table.

A grid is a short config, read by `grid.py`. `configs.py` makes each cell and seed a full config,
`plan.py` checks them all before anything is trained, `runs.py` keeps what a run leaves behind, and
`schedule.py` runs them. `results.py` gathers the records; `significance.py` compares the cells;
`table.py`, `chart.py` and `curves.py` show them.
"""
