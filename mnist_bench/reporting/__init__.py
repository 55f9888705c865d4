"""What was found, as tables to read or to compute with. Nothing here prints."""
