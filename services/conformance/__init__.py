"""The acceptance kit (验收): plays a department's receiver through everything the exchange may ever send it.

``kit`` makes and sends the messages, ``checks`` judges the answers, ``report`` is what a department hands in, and
``daily`` is the same for live endpoints, with test events only.
"""
