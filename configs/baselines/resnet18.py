# ResNet-18 with MMPose's head of three deconvolutions, ReLU: dyrelu_resnet18.py's twin.
_base_ = "resnet50.py"

model = dict(backbone=dict(depth=18), head=dict(in_channels=512))
