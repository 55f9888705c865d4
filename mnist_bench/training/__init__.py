"""Training one run: the compiled epoch, evaluation, seeds. Imports TensorFlow, but for `environment`."""
