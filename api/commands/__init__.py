"""The commands of ``lianban``, one a module."""
