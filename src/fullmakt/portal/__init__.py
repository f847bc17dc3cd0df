"""Pages for people: what runs here, and what an error means.

It owns no data. ``serve`` hands in the systems that run in the process and how to ask whether each can answer.
"""
