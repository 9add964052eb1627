"""MMPose's other data sets that read COCO's lists, with the checks of `CocoDataset`."""

from mmpose.registry import DATASETS

from .coco import CheckedAnnotations, reads_lists

for _name, _kind in list(DATASETS.module_dict.items()):
    if reads_lists(_kind) and not issubclass(_kind, CheckedAnnotations):
        _members = dict(__module__=__name__, __doc__=_kind.__doc__)
        globals()[_name] = type(_name, (CheckedAnnotations, _kind), _members)  # found by pickle
        DATASETS.register_module(_name, force=True, module=globals()[_name])
