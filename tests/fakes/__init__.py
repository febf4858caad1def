"""Stand-ins that are real servers or implement the real interface, and can be told to fail."""
