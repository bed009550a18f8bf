"""How much later each view began, from moving bodies that several views saw."""
