"""Which attributes of which class does code read? Followed through annotations, not by name alone.

``clip.size`` counts for a class only where ``clip`` is known to be of it: by the annotation of an
argument, attribute, variable or result, or because it was taken from something that is. A type
that can't be followed counts for nothing, so that an attribute may be missed, but ``array.size``
never stands for a field of that name.
"""

import ast
from collections.abc import Iterable, Iterator

#: Names of classes; of a container, those of what it holds.
Types = frozenset[str]
NONE: Types = frozenset()
#: Checks within a model are no use of its fields.
VALIDATORS = {"model_validator", "field_validator"}


def field_reads(modules: Iterable[ast.Module]) -> set[tuple[str, str]]:
    """Return (class, attribute) for each attribute that the modules read of a class of theirs."""
    trees = list(modules)
    reader = _Reader()
    reader.learn(trees)
    for _ in range(2):  # The second time, attributes that ``__init__`` assigns are known.
        for tree in trees:
            reader.block(tree.body, {}, "")
    return reader.reads


class _Reader:
    def __init__(self) -> None:
        self.reads: set[tuple[str, str]] = set()
        self._bases: dict[str, list[str]] = {}
        self._attributes: dict[str, dict[str, Types]] = {}
        self._results: dict[str, Types] = {}

    def learn(self, trees: list[ast.Module]) -> None:
        """Learn the names of classes, then what their attributes and all results are."""
        nodes = [node for tree in trees for node in ast.walk(tree)]
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        for node in classes:
            self._bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
            self._attributes.setdefault(node.name, {})
        for node in classes:
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    self._set(node.name, item.target.id, self._annotated(item.annotation))
                elif isinstance(item, ast.FunctionDef):
                    self._set(node.name, item.name, self._annotated(item.returns))
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                types = self._annotated(node.returns)
                self._results[node.name] = self._results.get(node.name, NONE) | types

    def _set(self, owner: str, name: str, types: Types) -> None:
        attributes = self._attributes[owner]
        attributes[name] = attributes.get(name, NONE) | types

    def _annotated(self, node: ast.expr | None) -> Types:
        names = set()
        for part in ast.walk(node) if node is not None else ():
            if isinstance(part, ast.Name):
                names.add(part.id)
            elif isinstance(part, ast.Attribute):
                names.add(part.attr)
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    names |= self._annotated(ast.parse(part.value, mode="eval").body)
                except SyntaxError:  # It is the text of a Literal.
                    continue
        return frozenset(names & self._attributes.keys())

    def _attribute(self, owner: str, name: str) -> Types:
        if name in self._attributes.get(owner, {}):
            return self._attributes[owner][name]
        return frozenset().union(*(self._attribute(b, name) for b in self._bases.get(owner, ())))

    def block(self, statements: list[ast.stmt], known: dict[str, Types], owner: str) -> None:
        """Follow statements; ``known`` are the types of names, ``owner`` the class around them."""
        for statement in statements:
            self._statement(statement, known, owner)

    def _statement(self, node: ast.stmt, known: dict[str, Types], owner: str) -> None:
        if isinstance(node, ast.ClassDef):
            self.block(node.body, dict(known), node.name)
        elif isinstance(node, ast.FunctionDef):
            if not VALIDATORS & {part.id for d in node.decorator_list for part in _names(d)}:
                self.block(node.body, known | self._arguments(node.args, owner), owner)
        elif isinstance(node, ast.Assign):
            types = self.types(node.value, known)
            for target in node.targets:
                self._bind(target, types, known, owner)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self.types(node.value, known)
            self._bind(node.target, self._annotated(node.annotation), known, owner)
        elif isinstance(node, ast.For):
            self._bind(node.target, self.types(node.iter, known), known, owner)
            self.block([*node.body, *node.orelse], known, owner)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.stmt):
                    self._statement(child, known, owner)
                elif isinstance(child, ast.expr):
                    self.types(child, known)
                elif isinstance(child, ast.withitem):
                    types = self.types(child.context_expr, known)
                    if child.optional_vars is not None:
                        self._bind(child.optional_vars, types, known, owner)
                elif isinstance(child, ast.ExceptHandler | ast.match_case):
                    self.block(child.body, known, owner)

    def _arguments(self, arguments: ast.arguments, owner: str) -> dict[str, Types]:
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        types = {argument.arg: self._annotated(argument.annotation) for argument in every}
        if owner and every and every[0].arg == "self":
            types["self"] = frozenset({owner})
        return types

    def _bind(self, target: ast.expr, types: Types, known: dict[str, Types], owner: str) -> None:
        if isinstance(target, ast.Name):
            known[target.id] = types
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._bind(element, types, known, owner)
        elif isinstance(target, ast.Attribute):
            if isinstance(target.value, ast.Name) and target.value.id == "self" and owner:
                self._set(owner, target.attr, types)
        else:
            self.types(target, known)

    def types(self, node: ast.expr, known: dict[str, Types]) -> Types:
        """Types of an expression; what it reads is noted."""
        if isinstance(node, ast.Name):
            own = frozenset({node.id} & self._attributes.keys())
            return known.get(node.id, own)  # ``Train.model_validate(...)`` is a Train.
        if isinstance(node, ast.Attribute):
            owners = self.types(node.value, known)
            self.reads |= {(owner, node.attr) for owner in owners}
            return frozenset().union(*(self._attribute(owner, node.attr) for owner in owners))
        if isinstance(node, ast.Call):
            return self._call(node, known)
        if isinstance(node, ast.NamedExpr):
            types = self.types(node.value, known)
            known[node.target.id] = types
            return types
        if isinstance(node, ast.Lambda):
            return self.types(node.body, known | dict.fromkeys(_argument_names(node), NONE))
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            return self._comprehension(node, dict(known))
        children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
        types = [self.types(child, known) for child in children]
        if isinstance(node, ast.Subscript):
            return types[0]
        if isinstance(node, ast.IfExp | ast.BoolOp | ast.Tuple | ast.List | ast.Dict | ast.Starred):
            return frozenset().union(*types)
        return NONE  # The result of a comparison or sum, a text.

    def _call(self, node: ast.Call, known: dict[str, Types]) -> Types:
        function = node.func
        given = [self.types(argument, known) for argument in node.args]
        for keyword in node.keywords:
            given.append(self.types(keyword.value, known))
            dumped = keyword.value
            if keyword.arg is None and isinstance(dumped, ast.Call):
                self._handed_over(dumped, known)
        if isinstance(function, ast.Attribute):
            owners = self.types(function.value, known)
            self.reads |= {(owner, function.attr) for owner in owners}
            results = [self._attribute(owner, function.attr) for owner in owners]
            own = frozenset().union(*results)
            # A method of a container, such as ``values``, gives what is in it.
            return own or owners
        if isinstance(function, ast.Name):
            if function.id in self._attributes:
                return frozenset({function.id})
            if function.id == "getattr" and node.args:
                return self._by_name(node, given[0])
            if function.id in self._results:
                return self._results[function.id]
        return frozenset().union(*given)

    def _by_name(self, call: ast.Call, owners: Types) -> Types:
        """Note ``getattr``: of a name that isn't written out, any of an object's attributes."""
        of_self = isinstance(call.args[0], ast.Name) and call.args[0].id == "self"
        name = call.args[1].value if isinstance(call.args[1], ast.Constant) else None
        for owner in NONE if of_self and name is None else owners:
            names = self._attributes[owner] if name is None else [name]
            self.reads |= {(owner, attribute) for attribute in names}
        return NONE

    def _handed_over(self, call: ast.Call, known: dict[str, Types]) -> None:
        """Note ``f(**config.model_dump())``, which hands all fields over by name."""
        if isinstance(call.func, ast.Attribute) and call.func.attr == "model_dump":
            for owner in self.types(call.func.value, known):
                self.reads |= {(owner, name) for name in self._attributes[owner]}

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        known: dict[str, Types],
    ) -> Types:
        for generator in node.generators:
            self._bind(generator.target, self.types(generator.iter, known), known, "")
            for condition in generator.ifs:
                self.types(condition, known)
        if isinstance(node, ast.DictComp):
            return self.types(node.key, known) | self.types(node.value, known)
        return self.types(node.elt, known)


def _names(node: ast.expr) -> Iterator[ast.Name]:
    return (part for part in ast.walk(node) if isinstance(part, ast.Name))


def _argument_names(node: ast.Lambda) -> list[str]:
    return [argument.arg for argument in node.args.args]
