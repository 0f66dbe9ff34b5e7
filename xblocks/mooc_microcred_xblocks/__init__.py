"""The XBlocks of mooc-microcred: what content teaches and assesses, and the learner's ladder.

The blocks call the rooms of ``mooc_microcred`` by their verbs only, and know edx-platform by what its
XBlock runtimes offer; they import nothing of it.
"""
