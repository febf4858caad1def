"""The public help: search and articles, risk notices, and what readers could not find."""
