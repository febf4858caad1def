"""Risk notices, event announcements and reminders to those who asked for them; never part of anybody's case."""
