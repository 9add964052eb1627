# The ReLU6 twin of dyrelu_mobilenetv2_128x96_lspet.py: no rule, nothing else changed.
_base_ = "dyrelu_mobilenetv2_128x96_lspet.py"

model = dict(dyrelu=[])
