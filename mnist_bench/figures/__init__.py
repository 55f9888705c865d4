"""Pictures. Each is made by one function that takes data and gives a figure, with no state of pyplot.

`figures.run` draws one run, in the workers; `figures.style` is what all share.
"""
