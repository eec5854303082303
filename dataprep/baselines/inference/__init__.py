"""A trained model in use: export to ONNX or torch, the model card inside the file, prediction on
new images with onnxruntime alone, and predictions written as tables or as pre-labels for labelling
tools.

Imports `baselines.evaluation` and `measures`.
"""
