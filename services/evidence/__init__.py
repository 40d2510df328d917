"""Evidence (证据): what proves, years later and offline, what a department was sent, what it answered, and why.

``inbound`` keeps what comes in; ``gathering`` reads all that belongs to a step; ``bundle`` seals it into one file and
checks such a file without a database.
"""
