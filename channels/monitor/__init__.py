"""What the channels that watch a network have in common. It is no channel: it has no checklist and builds nothing."""
