"""How often does the classifier name the right label on published test sets?"""

from __future__ import annotations

from statistics import mean, pstdev

from bench.nlu import datasets
from bench.nlu.trial import Outcome, Trial

SEEDS = 3


def banking77(trial: Trial) -> Outcome:
    train, test = (datasets.banking(trial.data, split) for split in ("train", "test"))
    return Outcome({"banking77": trial.right(trial.train(train), test)})


def banking77_few(trial: Trial) -> Outcome:
    """Ten sentences of each intent, three draws."""
    train, test = (datasets.banking(trial.data, split) for split in ("train", "test"))
    draws = [trial.right(trial.train(datasets.few(train, seed)), test) for seed in range(SEEDS)]
    told = ", ".join(f"{draw:.2f}" for draw in draws)
    return Outcome({"banking77-few": mean(draws)}, (f"10-shot draws: {told}; standard deviation {pstdev(draws):.2f}",))


def hwu64(trial: Trial) -> Outcome:
    train, test = (datasets.hwu(trial.data, split) for split in ("train", "test"))
    return Outcome({"hwu64": trial.right(trial.train(train), test)})


def smp2017(trial: Trial) -> Outcome:
    """Learned from train alone: develop is where constants may be chosen."""
    splits = datasets.smp(trial.data)
    return Outcome({"smp2017": trial.right(trial.train(splits["train"]), splits["test"])})


def zh_banking(trial: Trial) -> Outcome:
    """BANKING77 and four Chinese sentences on each of 20 intents are learned, the fifth is asked, among all 77."""
    english, chinese = datasets.banking(trial.data, "train"), datasets.zh_banking(trial.data)
    folds = []
    for fold in range(datasets.ZH_PER_INTENT):
        learn, ask = datasets.zh_fold(chinese, fold)
        trial.say(f"fold {fold + 1} of {datasets.ZH_PER_INTENT}")
        folds.append(trial.right(trial.train([*learn, *english]), ask))
    told = ", ".join(f"{fold:.0f}" for fold in folds)
    return Outcome({"zh-banking": mean(folds)}, (f"Chinese banking by fold: {told}",))
