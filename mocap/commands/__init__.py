"""The commands: each parses, calls one public function and prints; it imports what is heavy when it runs."""
