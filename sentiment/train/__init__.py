"""From labelled lines to weights: how the shipped models are built, and how a user's corrections refit them.

Needs scipy; nothing here is imported by scoring.
"""
