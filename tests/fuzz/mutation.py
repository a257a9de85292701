"""Random changes of bytes, of members of archives, and of values of JSON."""

import copy
import io
import json
import zipfile

#: Pieces that formats give a meaning to.
PIECES = [
    b"\x00", b"\xff" * 4, b"-1", b"9" * 30, b"1e309", b"nan", b"../", b"<", b">", b"&#0;", b'"',
    b"&a;", b"{", b"}", b"[", b"]", b"*a", b"&a ", b"!!python/object:os.system ", b": ", b"\n- ",
    b",", b"=", b"\r\n", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"r=\"A1048576\"", b"t=\"s\"",
]  # fmt: skip
#: Values that a field of JSON may be given.
VALUES = [
    None, True, 0, -1, 2**53, 10**400, 1e308, 5e-324, float("nan"), float("inf"), "", "x" * 3000,
    "../../x", "/etc/passwd", "\x1b[2J", "\x00", "\ud800", "<script>alert(1)</script>",
    "[bold red]x[/]", "$\\frac{", "a\r\nb\tc", "=1+1", "\u202e", "latest", "1e5", "0" * 40, [], {},
    [[]], {"a": {}}, ["x"] * 50,
]  # fmt: skip


def mutated(rng, data):
    """A few random changes of some bytes."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([1, 4, 32, 256]))
        change = rng.randrange(6)
        if change == 0 and data:
            data[start % len(data)] = rng.randrange(256)
        elif change == 1:
            del data[start:end]
        elif change == 2:
            data[start:start] = rng.choice(PIECES)
        elif change == 3:
            data[start:start] = data[start:end] * rng.choice([1, 2, 50])
        elif change == 4:
            data[start:end] = rng.choice(PIECES)
        else:
            del data[start:]
    return bytes(data)


def with_numbers(rng, data):
    """The same, or some of its whole numbers made huge, zero or negative: sizes and offsets."""
    if rng.random() < 0.5:
        return mutated(rng, data)
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 3])):
        width = rng.choice([2, 4, 4, 8])
        start = rng.randrange(max(1, min(len(data), 4096) - width))
        value = rng.choice([0, 1, 2**15, 2**31 - 1, 2**32 - 1, 2**63, rng.randrange(2**32)])
        order = rng.choice(["little", "big"])
        data[start : start + width] = (value % 2 ** (8 * width)).to_bytes(width, order)
    return bytes(data)


def mutated_zip(rng, data):
    """Change the archive itself, or one of its members."""
    if rng.random() < 0.4:
        return mutated(rng, data)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        names = old.namelist()
        victim = rng.choice(names)
        for name in names:
            content = old.read(name)
            new.writestr(name, mutated(rng, content) if name == victim else content)
    return out.getvalue()


def mutated_json(rng, data):
    """Change bytes of a JSON file, or give some of its fields other values."""
    if rng.random() < 0.3:
        return mutated(rng, data)
    tree = json.loads(data)
    for _ in range(rng.choice([1, 1, 2, 5])):
        node, key = rng.choice(list(_fields(tree)))
        change = rng.random()
        if change < 0.15:
            del node[key]
        elif change < 0.3 and isinstance(node, list):
            node += copy.deepcopy(node) * rng.choice([1, 30])
        else:
            node[key] = copy.deepcopy(rng.choice(VALUES))
        if not tree:
            break
    return json.dumps(tree).encode()


def _fields(node):
    """Yield each container of a tree with each of its keys."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list) and node[key]:
            yield from _fields(node[key])
