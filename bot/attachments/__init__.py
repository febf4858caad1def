"""Files that people sent: looked into and scanned after their message was finished, never opened.

`worker_process.py` reads what strangers made, in a bounded process of its own; everything else only sees its answer.
"""
