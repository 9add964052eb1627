# dyrelu_mobilenetv2_128x96.py with C in the head alone, at 7 of 42 sites and with R = 32: the
# cheapest placement at 128x96 in docs/deploy.md, which has its AP. With R = 4, and the optimizer of
# mobilenetv2_128x96.py, it is the cell none+C of configs/ablations/matrix.py.
_base_ = "dyrelu_mobilenetv2_128x96.py"

model = dict(dyrelu=[dict(sites="head.*", act=dict(type="DyReLUC", reduction=32))])
