# study_pictures.py on 10,447 crops of persons, of COCO-mini and of LSP-extended, judged on the
# pictures of COCO-mini. `make study-data` writes them.
_base_ = "study_pictures.py"

epochs = 40
train_cfg = dict(max_epochs=epochs, val_interval=4)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], end=epochs, T_max=epochs),
]

coco_mini = dict(_base_.train_dataloader.dataset, type="CropArrayDataset")
coco_mini.update(data_root="data/study_crops/coco_mini/")
lspet = dict(coco_mini, data_root="data/study_crops/lspet/")
train_dataloader = dict(
    dataset=dict(_delete_=True, type="CombinedCropArrays", datasets=[coco_mini, lspet])
)
