# What `make demo` trains: the ReLU twin and DyReLU-C in the backbone, as in study_resnet18.py.
base = "../study/resnet18-8_demo.py"
baseline = "ReLU"


def _cell(name, *rules):
    keep = {"val_evaluator.0.outfile_prefix": f"work_dirs/demo/{name}"}  # to draw what it finds
    return dict(dyrelu=list(rules), options=keep)


options = {"optim_wrapper.constructor": "DyReLUOptimWrapperConstructor"}
cells = {
    "ReLU": _cell("ReLU"),
    "C": _cell("C", dict(sites="backbone.*", act=dict(type="DyReLUC"))),
}
