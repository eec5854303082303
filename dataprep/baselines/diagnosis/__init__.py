"""From figures to reasons and next steps: the worst errors, what the audit says about them, rules
about data and model, Grad-CAM and the feature map.

Imports `baselines.evaluation`, `baselines.training` and `reports`.
"""
