"""Plan, skip, dispatch, record. The driver's side: TensorFlow is imported in workers alone."""
