"""What the recorded figures say."""
