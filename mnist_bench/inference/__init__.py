"""What a trained model is asked: image files brought into MNIST's form, and models read back.

Nothing here is part of a run key: editing it leaves every run as it was.
"""
