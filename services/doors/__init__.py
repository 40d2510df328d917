"""The three equal doors (接口), and the department's own hand on them.

A department is called (push), calls us (``poll``) or works from the inbox and its sheets (``inbox``): the same
messages, the same evidence. ``registration``, ``trial``, ``messages`` and ``replay`` are what it does for
itself.
"""
