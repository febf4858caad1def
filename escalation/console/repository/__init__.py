"""All queries of the console: people and their sessions, the queue, one conversation."""
