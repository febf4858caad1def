"""The classifier of `bot/understanding` as a component of Rasa's graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    METADATA,
    METADATA_INTENT,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.rasa.components.verdict import verdict
from bot.understanding.judge import Judge, Judgement
from bot.understanding.model_files import load, save
from bot.understanding.training import train
from bot.understanding.tuned import load_tuned

_RANKED = 10
_ROOT = Path(__file__).resolve().parents[3]
_TUNED = _ROOT / "data" / "tuned" / "tuned.npz"
_VECTORS = _ROOT / "models" / "vectors"
"""Where vectors stay from one training to the next."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    """Names the intent of a message, or `nlu_fallback` when that would be a guess.

    The names of the methods' parameters and their return annotations are read by Rasa: they are the wiring.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"encoders": ["use", "e5"], "threshold": 0.12, "ambiguity": 0.02}

    def __init__(self, config: Dict[Text, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._judge: Judge

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            component._judge = Judge(load(folder))
        # The encoders are loaded now, not with the first user's message.
        component._judge.judge("hello")
        return component

    def train(self, training_data: TrainingData) -> Resource:
        examples = [(example.get(TEXT), example.get(INTENT)) for example in training_data.intent_examples]
        needed = [_needs_case(example) for example in training_data.intent_examples]
        classifier = train(examples, self._config["encoders"], needed, _VECTORS, load_tuned(_TUNED))
        self._judge = Judge(classifier)
        with self._storage.write_to(self._resource) as folder:
            save(classifier, folder)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            # A pressed button is RegexMessageHandler's, later in the graph.
            if not text.lstrip().startswith("/"):
                self._name(message, self._judge.judge(text))
        return messages

    def _name(self, message: Message, judged: Judgement) -> None:
        found = judged.classification
        name, confidence = verdict(found, self._config["threshold"], self._config["ambiguity"])
        ranking = [_intent(label, score) for label, score in found.ranking[:_RANKED]]
        intent = {**_intent(name, confidence), "also": list(found.also), "escalate": judged.escalate}
        message.set(INTENT, intent, add_to_output=True)
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)


def _intent(name: Text, confidence: float) -> Dict[Text, Any]:
    return {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: confidence}


def _needs_case(example: Message) -> bool:
    """What data/nlu says of the block that the example stands in."""
    of_block = (example.get(METADATA) or {}).get(METADATA_INTENT) or {}
    return bool(of_block.get("escalate"))
