"""Policies at work: what is known of tags, what a policy would do, and its runs."""
