"""Pictures. Each is made by one function that takes data and gives a figure, with no state of pyplot.

`figures.run` draws one run, in the workers; `suite`, `variant` and `mistakes` what a report shows; `data` and `images`
what a dataset and a run's test images are; `style` is what all share.
"""
