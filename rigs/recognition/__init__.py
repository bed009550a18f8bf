"""What joints of a character of any program play which part, and how it stands at rest."""
