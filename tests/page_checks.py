"""What every HTML page of this package must hold, found by reading the page, without a browser.

Each function returns complaints, so that a test says all of them at once.
"""

import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise

#: Smallest contrast of text and its ground (WCAG 2.2, success criterion 1.4.3).
CONTRAST = 4.5
#: Attributes by which a page asks for something.
_ASKING = frozenset({"src", "href", "xlink:href", "srcset", "action", "data", "poster"})
#: Elements without an end.
_VOID = frozenset({"meta", "link", "br", "img", "hr", "input", "path", "use", "rect"})
#: Elements that a keyboard reaches by themselves.
_REACHED = frozenset({"a", "button", "summary", "input", "select", "textarea"})
_DARK = re.compile(r"prefers-color-scheme: dark\) \{ :root \{(.*?)\}", re.DOTALL)


class Element:
    """An element with the text within it; ``within`` are the elements around it."""

    def __init__(self, tag, attributes, within):
        self.tag, self.attributes, self.within, self.text = tag, dict(attributes), within, ""

    def has_name(self):
        return bool(self.text.strip() or (self.attributes.get("aria-label") or "").strip())


class Page(HTMLParser):
    """A page as a list of elements, in the order of their beginnings."""

    def __init__(self, text):
        super().__init__()
        self.source, self.elements, self._open = text, [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs, tuple(self._open))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, attrs, tuple(self._open)))

    def handle_endtag(self, tag):
        if tag not in _VOID:
            self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element.text += data

    @property
    def style(self):
        styles = (element.text for element in self.elements if element.tag == "style")
        return re.sub(r"/\*.*?\*/", "", "".join(styles), flags=re.DOTALL)


def complaints_of(text):
    """All complaints about a page."""
    page = Page(text)
    checks = (requests, headings, pictures, names, references, head, contrasts, drawings)
    return [f"{check.__name__}: {complaint}" for check in checks for complaint in check(page)]


def requests(page):
    """What leaves the file."""
    asked = [
        value
        for element in page.elements
        for name, value in element.attributes.items()
        if name in _ASKING and not (value or "").startswith(("#", "data:"))
    ]
    within_styles = [
        url
        for url in re.findall(r"url\(([^)]*)\)|@import", page.source)
        if not url.strip("\"'").startswith(("#", "data:"))
    ]
    policies = [
        element.attributes.get("content", "")
        for element in page.elements
        if element.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    closed = [policy for policy in policies if policy.startswith("default-src 'none'")]
    return [*asked, *within_styles, *([] if closed else ["no policy forbids requests"])]


def headings(page):
    """Headings that skip a level, and first headings that are not one."""
    levels = [int(e.tag[1]) for e in page.elements if re.fullmatch(r"h[1-6]", e.tag)]
    wrong = [
        f"h{level} follows h{before}" for before, level in pairwise(levels) if level > before + 1
    ]
    if levels.count(1) != 1 or levels[:1] != [1]:
        wrong.append(f"one h1 at the beginning was expected: {levels[:5]}")
    return wrong


def pictures(page):
    """Pictures that say nothing to those who can't see them."""
    wrong = [
        "img without alt"
        for element in page.elements
        if element.tag == "img" and not (element.attributes.get("alt") or "").strip()
    ]
    for element in page.elements:
        if element.tag == "svg" and not any(outer.tag == "svg" for outer in element.within):
            around = (element, *element.within)
            named = [
                outer.attributes
                for outer in around
                if outer.attributes.get("role") == "img" and outer.attributes.get("aria-label")
            ]
            hidden = any(outer.attributes.get("aria-hidden") == "true" for outer in around)
            wrong += [] if named or hidden else ["svg without a name"]
    return wrong


def names(page):
    """What a keyboard reaches but a screen reader can't name."""
    return [
        f"<{element.tag} {element.attributes}> has no name"
        for element in page.elements
        if (element.tag in _REACHED or element.attributes.get("tabindex") == "0")
        and "svg" not in {outer.tag for outer in element.within}
        and not element.has_name()
    ]


def references(page):
    """Ids that stand twice, regions of one name, and references to nothing."""
    ids = Counter(e.attributes["id"] for e in page.elements if "id" in e.attributes)
    labels = Counter(
        e.attributes.get("aria-label")
        for e in page.elements
        if e.attributes.get("role") == "region"
    )
    wrong = [f"id {name!r} stands {count} times" for name, count in ids.items() if count > 1]
    wrong += [f"regions share a name: {name}" for name, count in labels.items() if count > 1]
    for element in page.elements:
        for name in ("href", "xlink:href", "aria-labelledby", "aria-describedby"):
            value = element.attributes.get(name) or ""
            target = value.removeprefix("#") if name.startswith("aria") or value[:1] == "#" else ""
            if target and target not in ids:
                wrong.append(f"{name} leads to {target!r}, which is not there")
    return wrong


def head(page):
    """What is missing of a page's head."""
    tags = {element.tag: element for element in page.elements}
    metas = {e.attributes.get("name") for e in page.elements if e.tag == "meta"}
    return [
        *([] if tags["html"].attributes.get("lang") else ["no language"]),
        *([] if "title" in tags and tags["title"].text.strip() else ["no title"]),
        *([] if "viewport" in metas else ["no viewport"]),
    ]


def contrasts(page):
    """Pairs of text and ground that are hard to read, in the light and in the dark."""
    light = _colours(re.search(r":root \{(.*?)\}", page.style, re.DOTALL)[1])
    dark = light | _colours(_DARK.search(page.style)[1])
    wrong = []
    for text, ground in text_pairs(page.style):
        for theme, colours in (("light", light), ("dark", dark)):
            value = contrast(colours[text], colours[ground])
            if value < CONTRAST:
                wrong.append(f"{text} on {ground} in the {theme}: {value:.2f}")
    return wrong


def text_pairs(style):
    """Names of colours of text with those of their ground.

    A rule that sets both is a pair. Any other colour of text may stand on any other ground.
    """
    pairs, texts, grounds = set(), set(), set()
    for declarations in re.findall(r"\{([^{}]*)\}", style):
        text = re.findall(r"(?<![-\w])color: var\(--([\w-]+)\)", declarations)
        ground = re.findall(r"background(?:-color)?: var\(--([\w-]+)\)", declarations)
        if text and ground:
            pairs |= {(text[0], ground[0])}
        else:
            texts, grounds = texts | set(text), grounds | set(ground)
    return pairs | {(text, ground) for text in texts for ground in grounds}


def drawings(page):
    """Texts of drawings that don't change with the page's colours."""
    allowed = {"", "var(--ink)", "var(--soft)", "var(--warn)", "var(--cell-ink)", "#ffffff"}
    fills = {
        (re.findall(r"(?<![-\w])fill: ([^;]+)", element.attributes.get("style") or "") or [""])[0]
        for element in page.elements
        if element.tag == "text"
    }
    return [f"text of a drawing is filled with {fill}" for fill in fills - allowed]


def contrast(first, second):
    """Contrast of two colours such as ``#1c2530``, 1..21 (WCAG 2.2, contrast ratio)."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    """Relative luminance of a colour such as ``#1c2530``, 0..1 (WCAG 2.2)."""
    shares = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _colours(declarations):
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", declarations))
