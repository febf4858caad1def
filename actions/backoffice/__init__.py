"""The exchange's back office as the desk sees it: `contract` says what can be asked, `http` asks.

`openapi.yml` is the published form of the same contract; `demo` is an exchange that speaks it.
"""
