#!/usr/bin/env python3
"""Plants changes in a small module and sees what ci/api makes of each. Compiles with swiftc, a few seconds in all."""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import re
import subprocess
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def load():
    """ci/api as a module."""
    loader = importlib.machinery.SourceFileLoader("api", str(ROOT / "ci" / "api"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("api", loader))
    # A cache beside ci/api would be litter.
    loader.exec_module(module)
    return module


api = load()

BEFORE = """
public protocol Sink: AnyObject {
    func take(_ bytes: [UInt8]) throws
    var isOpen: Bool { get }
}
extension Sink { public var isOpen: Bool { true } }
public enum Colour: Hashable, Sendable { case red, green }
public struct Box<Value> {
    public var value: Value
    public private(set) var count = 0
    public init(_ value: Value) { self.value = value }
    public func open(times: Int = 1) -> Value { value }
    package func hidden() {}
    func internalOnly() {}
}
extension Box: Equatable where Value: Equatable {}
extension Int { public var doubled: Int { self * 2 } }
open class Base { public init() {} }
public final class Derived: Base {}
public func free(_ number: Int) async throws(CancellationError) {}
"""


def lines(source):
    """The API of a module `Toy` of that text."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "Toy.swift").write_text(source)
        command = ["swiftc", "-emit-module", "-module-name", "Toy", "-package-name", "toys", "-parse-as-library"]
        command += ["-swift-version", "6", "-emit-module-path", str(path / "Toy.swiftmodule"), str(path / "Toy.swift")]
        subprocess.run(command, check=True, cwd=folder)
        return api.api_lines(api.symbol_graphs("Toy", path, []))


class Changes(unittest.TestCase):
    """What is a break, and what only has to be recorded."""

    @classmethod
    def setUpClass(cls):
        cls.before = lines(BEFORE)

    def verdicts(self, old, new):
        """What comes of putting `new` in the place of `old`, as (is a break, what, line)."""
        self.assertIn(old, BEFORE)
        found = api.compare(self.before, lines(BEFORE.replace(old, new, 1)))
        return [(each.is_break, each.what, each.line) for each in found]

    def test_reads_what_is_public_and_nothing_else(self):
        for line in [
            "Base | open class | class Base",
            "Box : Equatable where Value : Equatable | conformance",
            "Box.count | property | var count: Int { get }",
            "Box.open(times:) | method | func open(times: Int = 1) -> Value",
            "Colour.red | case | case red",
            "Derived : Base | superclass",
            "Int.doubled | property | var doubled: Int { get }",
            "Sink | protocol | protocol Sink : AnyObject",
            "Sink.isOpen | default property | var isOpen: Bool { get }",
            "Sink.take(_:) | requirement method | func take(_ bytes: [UInt8]) throws",
            "free(_:) | func | func free(_ number: Int) async throws(CancellationError)",
        ]:
            self.assertIn(line, self.before)
        text = "\n".join(self.before)
        for word in ["hidden", "internalOnly", "Copyable", "s:3Toy", "/"]:
            self.assertNotIn(word, text)
        self.assertEqual(self.before, sorted(set(self.before)))

    def test_same_again(self):
        self.assertEqual(self.before, lines(BEFORE))
        self.assertEqual(api.compare(self.before, self.before), [])

    def test_order_and_comments_do_not_matter(self):
        moved = BEFORE.replace("public enum Colour", "/// Its colour.\npublic enum Colour")
        first, _, rest = moved.partition("public struct")
        self.assertEqual(lines("public struct" + rest + first), self.before)

    def test_removal(self):
        self.assertEqual(
            self.verdicts("public enum Colour: Hashable, Sendable { case red, green }", "")[0],
            (True, "removed", "Colour : Equatable | conformance"))
        self.assertEqual(
            self.verdicts("public func open(", "func open("),
            [(True, "removed", "Box.open(times:) | method | func open(times: Int = 1) -> Value")])

    def test_removed_conformance_case_default_and_superclass(self):
        self.assertEqual(
            self.verdicts(": Hashable, Sendable", ": Hashable"), [(True, "removed", "Colour : Sendable | conformance")])
        self.assertEqual(
            self.verdicts("case red, green", "case red"), [(True, "removed", "Colour.green | case | case green")])
        self.assertEqual(
            self.verdicts("extension Sink { public var isOpen: Bool { true } }", ""),
            [(True, "removed", "Sink.isOpen | default property | var isOpen: Bool { get }")])
        self.assertIn(
            (True, "removed", "Derived : Base | superclass"), self.verdicts("class Derived: Base {}", "class Derived {}"))

    def test_change(self):
        for old, new in [
            ("-> Value { value }", "throws -> Value { value }"),
            ("times: Int", "times: Int32"),
            ("times: Int = 1", "times: Int"),
        ]:
            self.assertEqual([each[:2] for each in self.verdicts(old, new)], [(True, "changed")], (old, new))
        self.assertEqual(
            self.verdicts("throws(CancellationError)", "throws"),
            [(True, "changed", "free(_:) | func | func free(_ number: Int) async throws(CancellationError)")])

    def test_renamed_label_is_a_removal_and_an_addition(self):
        self.assertEqual(
            [each[:2] for each in self.verdicts("open(times:", "open(count:")], [(True, "removed"), (False, "added")])

    def test_closed_class(self):
        # `open` to `public`: who subclasses it elsewhere is broken.
        self.assertIn((True, "removed", "Base | open class | class Base"), self.verdicts("open class", "public class"))

    def test_addition(self):
        self.assertEqual(
            self.verdicts("public func open(", "public func shut() {}\n    public func open("),
            [(False, "added", "Box.shut() | method | func shut()")])
        self.assertEqual(
            self.verdicts("func internalOnly", "public func open(times: String) {}\n    func internalOnly"),
            [(False, "added", "Box.open(times:) | method | func open(times: String)")])
        self.assertTrue(all(not each[0] for each in self.verdicts("Hashable, Sendable", "CaseIterable, Hashable, Sendable")))

    def test_new_requirement(self):
        requirement = "Sink.end() | requirement method | func end()"
        self.assertEqual(
            self.verdicts("    var isOpen", "    func end()\n    var isOpen"),
            [(True, "new requirement without a default", requirement)])
        with_default = BEFORE.replace("    var isOpen", "    func end()\n    var isOpen", 1).replace(
            "extension Sink {", "extension Sink {\n    public func end() {}\n   ", 1)
        found = api.compare(self.before, lines(with_default))
        self.assertEqual(sorted((each.is_break, each.line) for each in found), [
            (False, "Sink.end() | default method | func end()"), (False, requirement)])

    def test_new_refinement_of_a_protocol(self):
        self.assertEqual(
            self.verdicts("protocol Sink: AnyObject", "protocol Sink: AnyObject, Sendable"),
            [(True, "changed", "Sink | protocol | protocol Sink : AnyObject")])

    def test_new_protocol_brings_its_requirements_along(self):
        found = api.compare(self.before, lines(BEFORE + "public protocol Source { func give() }"))
        self.assertEqual([each.is_break for each in found], [False, False])

    def test_new_case(self):
        self.assertEqual(
            self.verdicts("red, green", "red, green, blue"),
            [(True, "new case of an enum", "Colour.blue | case | case blue")])
        found = api.compare(self.before, lines(BEFORE + "public enum Shape { case round }"))
        self.assertTrue(found and not any(each.is_break for each in found))

    def test_loosened(self):
        self.assertEqual(
            [each[:2] for each in self.verdicts("public private(set) var count", "public var count")],
            [(False, "changed")])
        self.assertEqual(
            [each[:2] for each in self.verdicts("public func open(", "@discardableResult public func open(")],
            [(False, "changed")])
        self.assertEqual(
            [each[:2] for each in self.verdicts("public func open(", '@available(*, deprecated, renamed: "x") public func open(')],
            [(False, "changed")])
        self.assertEqual(
            [each[:2] for each in self.verdicts("var isOpen: Bool { get }", "var isOpen: Bool { get set }")][:1],
            [(True, "changed")])


class Commands(unittest.TestCase):
    """The command line is part of the promise."""

    def command(self, *arguments):
        """A command with one subcommand with these (name, is optional)."""
        rows = [
            {"kind": "option", "names": [{"kind": "long", "name": name}], "isOptional": optional, "isRepeating": False,
             "shouldDisplay": True, "valueName": name}
            for name, optional in arguments
        ]
        return api.command_lines({"commandName": "tool", "subcommands": [{"commandName": "run", "arguments": rows}]})

    def test_options(self):
        old = self.command(("mode", True))
        self.assertEqual(
            old, ["tool run --mode | option | optional", "tool run | command | tool run", "tool | command | tool"])
        for new, verdict in [
            (self.command(), (True, "removed")),
            (self.command(("mode", False)), (True, "changed")),
            (self.command(("mode", True), ("seed", True)), (False, "added")),
            (self.command(("mode", True), ("seed", False)), (True, "new argument that is needed")),
        ]:
            self.assertEqual([each[:2] for each in api.compare(old, new)], [verdict])


class Breaks(unittest.TestCase):
    """What BREAKS.md has to say for a break to pass."""

    def named(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "BREAKS.md"
            path.write_text(text)
            return api.named_breaks(path)

    def test_needs_version_and_remedy(self):
        entry = "- `Toy: Box | struct | struct Box`\n"
        self.assertEqual(
            self.named("## 0.2.0\n\n" + entry + "  Remedy: use Bag.\n"), {"Toy: Box | struct | struct Box"})
        for text in [entry, entry + "  Remedy: use Bag.\n", "## 0.2.0\n" + entry, "## 0.2.0\n" + entry + "  Remedy: \n"]:
            self.assertEqual(self.named(text), set(), text)

    def test_our_own_file_has_no_loose_entry(self):
        path = ROOT / "API" / "BREAKS.md"
        self.assertEqual(len(api.named_breaks(path)), len(re.findall(r"^- `", path.read_text(), re.MULTILINE)))

    def test_only_what_is_named_passes(self):
        old = {"Toy": ["a | func | func a()", "b | func | func b()"]}
        new = {"Toy": ["c | func | func c()"]}
        breaks, others = api.judge(old, new, {"Toy: a | func | func a()"})
        self.assertEqual(breaks, ["removed: Toy: b | func | func b()"])
        self.assertEqual(others, ["removed: Toy: a | func | func a()", "added: Toy: c | func | func c()"])

    def test_a_module_that_goes_is_a_break(self):
        breaks, _ = api.judge({"Toy": ["a | func | func a()"]}, {}, set())
        self.assertEqual(breaks, ["removed: Toy: a | func | func a()"])


class Runs(unittest.TestCase):
    """What the command does and ends with."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        api.write({"Toy": ["a | func | func a()"]}, self.root / "API")

    def run_with(self, lines, *arguments):
        """(exit code, what was recorded then) for a build with these lines; None for a build that is missing."""

        def read_build():
            if lines is None:
                raise api.CannotTell("there is no debug build")
            return {"Toy": lines}

        silent = io.StringIO()
        with mock.patch.multiple(api, ROOT=self.root, read_build=read_build), \
                mock.patch("sys.argv", ["ci/api", *arguments]), \
                contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
            code = api.main()
        return code, api.read_baseline(self.root / "API")["Toy"]

    def test_same(self):
        for arguments in [[], ["--check"]]:
            self.assertEqual(
                self.run_with(["a | func | func a()"], *arguments), (0, ["a | func | func a()"]))

    def test_an_addition_must_be_recorded(self):
        new = ["a | func | func a()", "b | func | func b()"]
        self.assertEqual(self.run_with(new, "--check"), (1, new[:1]))
        self.assertEqual(self.run_with(new), (0, new))
        self.assertEqual(self.run_with(new, "--check"), (0, new))

    def test_a_break_must_be_named(self):
        new = ["b | func | func b()"]
        for arguments in [[], ["--check"]]:
            self.assertEqual(self.run_with(new, *arguments), (1, ["a | func | func a()"]))
        (self.root / "API" / "BREAKS.md").write_text("## 0.2.0\n\n- `Toy: a | func | func a()`\n  Remedy: b.\n")
        self.assertEqual(self.run_with(new), (0, new))

    def test_anew(self):
        self.assertEqual(self.run_with(["b | func | func b()"], "--anew"), (0, ["b | func | func b()"]))

    def test_without_a_build(self):
        self.assertEqual(self.run_with(None, "--check"), (2, ["a | func | func a()"]))


class Baseline(unittest.TestCase):
    """The files themselves."""

    def test_written_and_read_back(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "API"
            api.write({"Toy": ["a | func | func a()"], "Old": ["b | func | func b()"]}, path)
            api.write({"Toy": ["a | func | func a()"]}, path)
            self.assertEqual(api.read_baseline(path), {"Toy": ["a | func | func a()"]})

    def test_names_no_machine(self):
        for name, rows in api.read_baseline(ROOT / "API").items():
            self.assertEqual(rows, sorted(set(rows)), name)
            for row in rows:
                self.assertNotRegex(row, r"/(work|home|root|tmp|Users)/|\$s[0-9]|\bs:[0-9A-Z]", name)


if __name__ == "__main__":
    unittest.main()
