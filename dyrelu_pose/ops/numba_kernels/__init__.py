"""The passes over a feature map as loops that Numba compiles, for CPUs. `passes.py` calls them."""
