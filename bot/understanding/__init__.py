"""What a message says: language, entities, secrets, signals, class, and the article that answers it.

The classifier, its lessons and the signals are shared by the Rasa process (Python 3.10) and the app (3.12+): they
import no Rasa, need numpy only at run time and SciPy only while training. What reads entities and secrets or finds
articles (`entities/`, `secrets/`, `knowledge/`, `reading.py`, `masking.py`) belongs to the app alone.
"""
