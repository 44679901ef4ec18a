"""Which tags a policy keeps and which it drops, and why: pure decisions on plain values.

Nothing here reads a database, a network or a clock. `policy.Policy` is what a person wrote, `tags.Tag` what
is known of one tag, `deciding.decide` says what becomes of each, and its `Decision` says why in words.
"""
