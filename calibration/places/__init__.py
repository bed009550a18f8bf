"""Where cameras stand to each other and in the world, from a board that several of them saw."""
