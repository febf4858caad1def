"""What the model learns from, and how well it learned: examples, corrections, the exam, and which model wins."""
