"""What a baseline shows people: the terminal summary and `baseline.html`, drawn from its figures.

Nothing is computed here that a figure depends on. Imports `baselines.evaluation`,
`baselines.diagnosis` and `reports`.
"""
