"""What is checked before hours are spent: images and labels as training sees them, the first loss,
activations and gradients, overfitting one batch, and a control with permuted labels.

Imports `baselines.training`.
"""
