"""One view over time lifted to three dimensions by a small network that learned from a detector's errors."""
