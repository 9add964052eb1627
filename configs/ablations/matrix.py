# The variants of DyReLU in backbone and head: 4 x 4, each with its default R.
base = "../coco_mini/mobilenetv2_128x96.py"
baseline = "none+none"
axes = ("backbone", "head")
curves = ("none+none", "B+none", "none+C", "B+C", "C+C")

_variants = ("A", "B", "C")
rows = dict(
    none=[], **{v: [dict(sites="backbone.*", act=dict(type=f"DyReLU{v}"))] for v in _variants}
)
columns = dict(
    none=[], **{v: [dict(sites="head.*", act=dict(type=f"DyReLU{v}"))] for v in _variants}
)
