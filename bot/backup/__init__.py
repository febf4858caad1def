"""Back-up of a running desk, and restore: the database, the files its rows name, and the instance's key.

Order is what makes it consistent (docs/decisions/0013): a snapshot of the database first, then the files that the
snapshot names. Files never change and are never taken away, so whatever the snapshot names is still there; what comes
in meanwhile is simply not part of this back-up. The manifest is written last: without one, a back-up is incomplete.
"""
