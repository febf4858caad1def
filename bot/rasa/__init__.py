"""The Rasa process (Python 3.10): model, dialogue policies, and the one door to them."""
