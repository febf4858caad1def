"""Which article answers a question, in the user's language and with this exchange's own figures?"""

from bot.understanding.knowledge.article import Article, KnowledgeError
from bot.understanding.knowledge.base import CLEAR, ENCODER, GOOD, Knowledge, Match

__all__ = ["CLEAR", "ENCODER", "GOOD", "Article", "Knowledge", "KnowledgeError", "Match"]
