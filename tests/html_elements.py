"""A page taken apart: its elements and texts; tags that do not nest are an error."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Elements(HTMLParser):
    """Every element of a page with its attributes; raises where tags do not nest."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]

    @property
    def addresses(self):
        """All that the page may fetch, but for what it holds itself."""
        values = [attributes.get(name) or "" for _, attributes in self.found for name in ("src", "href")]
        return [value for value in values if value and not value.startswith(("#", "data:"))]
