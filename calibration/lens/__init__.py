"""One camera's lens, from images of a board."""
