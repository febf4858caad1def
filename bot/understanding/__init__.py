"""What a message says: language, entities, signals, class, and the article that answers it.

Shared by the Rasa process (Python 3.10) and the app (3.12+): it imports no Rasa, needs numpy only at run time
and scikit-learn only while training.
"""
