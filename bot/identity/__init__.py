"""Who writes: what was proven, and how somebody proves it with a code to the registered address."""
