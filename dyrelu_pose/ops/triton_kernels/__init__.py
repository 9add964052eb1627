"""CUDA kernels in Triton, a file each with its launch; `passes.py` is their user.

A map is read as (N, C, P) by its strides. A program works on one sample: some channels, `BLOCK_C`
of them at a time, and some positions, `BLOCK_P` at a time. Sums are partial sums that are added up
in a fixed order, so that results repeat to the bit; nothing is atomic.
"""
