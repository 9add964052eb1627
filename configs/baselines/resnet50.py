# ResNet-50 with MMPose's head of three deconvolutions, ReLU: dyrelu_resnet50.py's twin.
_base_ = "mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_res50_8xb64-210e_coco-256x192.py"
custom_imports = dict(imports=["dyrelu_pose"], allow_failed_imports=False)

model = dict(backbone=dict(init_cfg=None))

optim_wrapper = dict(optimizer=dict(lr=1e-3))

val_evaluator = dict(type="PycocoMetric")
test_evaluator = val_evaluator
