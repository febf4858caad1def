"""The public page of a case: how it stands, in words, for whoever holds the link."""
