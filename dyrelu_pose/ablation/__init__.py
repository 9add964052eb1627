"""Ablations by config alone: a grid of cells, each trained from several seeds, and their table.

A grid is a short config, read by `grid.py`. `configs.py` makes each cell and seed a full config,
`plan.py` checks them all before anything is trained, `runs.py` keeps what a run leaves behind,
`schedule.py` runs them, and `statistics.py`, `table.py` and `chart.py` say what came of it.
`project_sites.py` is a backbone that one of the grids needs.
"""
