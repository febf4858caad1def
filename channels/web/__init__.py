"""What channels for browsers share: whom they trust, how often, and how files come in. It is no channel: it builds
nothing."""
