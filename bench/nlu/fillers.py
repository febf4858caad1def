"""Sentences of mails that say nothing of the matter. Those that are learned and those that are asked differ."""

from __future__ import annotations

TRAINING = (
    "Hello,",
    "Dear customer service team,",
    "Good morning,",
    "To whom it may concern,",
    "I hope you are doing well.",
    "I have never had to write to you before.",
    "My colleague recommended you to me.",
    "I have been with you for three years now.",
    "I tried to call but the line was busy.",
    "Please read my message carefully.",
    "I am writing this from my phone, so excuse the typos.",
    "English is not my first language.",
    "I am on holiday with my children this week.",
    "My wife says I should be patient.",
    "I do not want to be rude.",
    "I would be glad about a quick reply.",
    "Thank you in advance for your help.",
    "Looking forward to hearing from you.",
    "Best regards,",
    "Yours sincerely,",
    "John Miller",
    "Sales manager, Miller and Sons",
    "12 Station Road, Leeds",
    "Sent from my iPhone",
    "This e-mail is confidential.",
)
"""What the background class learns beside sentences of CLINC150."""

OPENINGS = (
    "Hi there,",
    "Dear Sir or Madam,",
    "Good afternoon everyone,",
    "Hello support people,",
    "I trust this mail reaches the right department.",
    "This is the first time that I turn to you.",
    "Sorry to bother you on a Friday.",
    "I hope the week has been kind to you.",
)
STORIES = (
    "I have been a loyal customer since the very beginning.",
    "Usually everything goes smoothly and I tell my friends so.",
    "Last weekend we moved house, so things are a little chaotic here.",
    "I work night shifts and cannot always answer at once.",
    "My brother helped me to write this down.",
    "I have looked through your help pages for half an hour.",
    "The young man at the desk was friendly but new.",
    "I know that you receive many letters like this one.",
    "It has been raining here for days, which does not improve my mood.",
    "I am not the kind of person who complains.",
    "We are planning a birthday party for my mother.",
    "I made myself a cup of tea before I started typing.",
    "Perhaps I am simply too old for all this.",
    "You will surely find an explanation.",
    "I would rather have talked to someone in person.",
    "My neighbour went through something similar elsewhere.",
)
CLOSINGS = (
    "I appreciate the time you take for this.",
    "A short answer would already help me.",
    "Many thanks and have a pleasant weekend.",
    "With kind regards,",
    "Warm wishes from Bristol,",
    "Margaret O'Neill",
    "Retired teacher and proud grandmother",
    "Get Outlook for Android",
    "Please consider the environment before printing this mail.",
)
"""Of which mails are made that are asked."""
