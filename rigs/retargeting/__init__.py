"""Motion of one character put onto another, with feet that stand there."""
