"""All queries about subscribers and broadcasts."""
