"""Unit tests of rules, in YAML and in promtool's manner: what a rule must do with series of mentions, and what not."""
