"""The commands of ``lianban``, one module each; `api.cli` loads them when they are asked for."""
