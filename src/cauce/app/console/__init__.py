"""The console: people, the review queue and what-if in a browser.

Its pages show what the services of the API answer, and hand them what somebody decides;
they have no logic of their own. What comes from events reaches a page only as text and
JSON, never as HTML. It needs the extra ``cauce[console]``.
"""
