"""Optuna studies over an architecture's search space: drawn and told by the driver, trained by the engine's workers.

Importing this package imports no Optuna, which takes half a second; its modules do.
"""
