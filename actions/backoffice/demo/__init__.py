"""A demo exchange: a real server that speaks `openapi.yml` and plays the exchange's own site.

Not for production: whoever reaches its pages can be any of its users. It listens on 127.0.0.1 only.
"""
