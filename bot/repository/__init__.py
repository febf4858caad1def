"""The road's queries: conversations and their leases, inbox, outbox, timers. No query of the road is elsewhere."""
