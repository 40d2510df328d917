"""Signing in by OpenID Connect: another house knows who the person is, and rules of ours say which post that means."""
