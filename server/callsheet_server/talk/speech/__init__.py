"""A model's text, made fit to be heard while it streams. Sans-I/O.

``speech.py`` is the way in. Each filter takes pieces (``feed``) and then the end (``rest``). What
it lets through depends on the text alone, not on how it was cut into pieces:

| filter | what it is about |
|---|---|
| ``thoughts.py`` | reasoning, control tokens of chat templates and of harmony |
| ``placeholders.py`` | ``{{user}}`` and ``{{char}}`` of character cards |
| ``speakers.py`` | name tags: its own go, another's line ends the reply |
| ``quotes.py`` | the quotation marks around a whole reply |
| ``directions.py`` | stage directions: ``*wipes a tankard*``, ``(laughs)`` |
| ``spacing.py`` | blanks before punctuation: ``Milo Hale .`` |
| ``sentences.py`` | whole sentences, and where they end |
| ``repeats.py`` | sentences that the NPC has just said |
"""
