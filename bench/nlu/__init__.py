"""`make bench-nlu`: how well, and how fast, does the bot understand? (docs/benchmarks.md, "Understanding")

What trains runs with the Python of Rasa's environment, which has SciPy: `work.py` and everything that it imports keep
to Python 3.10. The rest is Python 3.12, as everywhere.
"""
