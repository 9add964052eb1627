"""A page to try models on pictures of one's own: what it shows, and what serves it.

Only `page` and `serve` need Gradio, an optional package.
"""
