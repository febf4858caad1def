"""The agents' console: log in, see who waits, take over, answer, hand back."""
