"""The whole-clip solve: a body, its kinematics, and the terms that are minimised together."""
