#!/usr/bin/env python3
"""Holds the pages to what they speak of: asyncio's names, our API, the examples, the files they link to."""

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def load(path):
    """A script of ci/ as a module."""
    loader = importlib.machinery.SourceFileLoader(path.name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.name, loader))
    loader.exec_module(module)
    return module


snippets = load(ROOT / "ci" / "snippets")


def api_names():
    """Every name of the recorded API, with and without argument labels."""
    names = set()
    for path in (ROOT / "API").glob("*.txt"):
        if path.stem in ("Package", "Command"):
            continue
        for line in path.read_text().splitlines():
            name = line.split(" | ")[0].split(" : ")[0]
            names |= {name, re.sub(r"\(.*", "", name)}
    return names


def tables(text, head):
    """The rows, as lists of cells, of all tables whose first column is headed `head`."""
    rows, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            inside = False
        elif cells[0] == head:
            inside = True
        elif inside and not set(cells[0]) <= set("-:"):
            rows.append(cells)
    return rows


def quoted(cell):
    """The names in backticks."""
    return re.findall(r"`([^`]+)`", cell)


class AsyncioTable(unittest.TestCase):
    """Documentation/asyncio.md sets every public name of asyncio beside ours."""

    rows = tables((ROOT / "Documentation" / "asyncio.md").read_text(), "asyncio")

    def test_names_every_name_once(self):
        listed = (ROOT / "Tests" / "Oracles" / "asyncio-names.txt").read_text().splitlines()[1:]
        named = [name for row in self.rows for name in quoted(row[0])]
        self.assertEqual(sorted(set(listed) - set(named)), [], "missing from the table")
        self.assertEqual(sorted(set(named) - set(listed)), [], "no name of asyncio")
        self.assertEqual(sorted({name for name in named if named.count(name) > 1}), [], "named twice")

    def test_ours_exist(self):
        known = api_names()
        unknown = [name for row in self.rows for name in quoted(row[1]) if name not in known]
        self.assertEqual(unknown, [], "not in API/")

    def test_what_is_absent_says_why(self):
        for row in self.rows:
            self.assertEqual(len(row), 3, row)
            self.assertTrue(quoted(row[1]) or (row[1] == "–" and len(row[2]) > 10), row)


class MigrationTables(unittest.TestCase):
    """Documentation/migration.md names what exists."""

    def test_ours_exist(self):
        known = api_names()
        text = (ROOT / "Documentation" / "migration.md").read_text()
        rows = tables(text, "netius") + tables(text, "asyncio")
        self.assertGreater(len(rows), 20)
        for row in rows:
            self.assertTrue(quoted(row[1]) or (row[1] == "–" and len(row[2]) > 10), row)
            for name in quoted(row[1]):
                self.assertIn(name, known, row)


    def test_commands_and_variables_exist(self):
        text = (ROOT / "Documentation" / "migration.md").read_text()
        known = {line.split(" | ")[0] for line in (ROOT / "API" / "Command.txt").read_text().splitlines()}
        commands, variables = tables(text, "command of netius"), tables(text, "variable of netius")
        self.assertTrue(commands and variables)
        for row in commands:
            words = quoted(row[1])[0].split()
            self.assertIn(" ".join(words[:2]), known, row)
            for option in [word for word in words if word.startswith("--")]:
                self.assertIn(f"{' '.join(words[:2])} {option}", known, row)
        for row in variables:
            for name in quoted(row[1]):
                self.assertIn(name, known, row)


class Pages(unittest.TestCase):
    """Code and links."""

    def test_code_is_that_of_the_examples(self):
        for page in snippets.pages():
            text = page.read_text()
            self.assertEqual(snippets.updated(text), text, f"{page.name}: run ci/snippets")

    def test_swift_in_the_pages_is_compiled(self):
        for page in snippets.pages():
            lines = page.read_text().splitlines()
            for number, line in enumerate(lines):
                if line == "```swift":
                    self.assertRegex(lines[number - 1], r"<!-- \S+: \S+ -->", f"{page.name}:{number + 1}")

    def test_every_example_is_shown(self):
        shown = {(match["file"], match["name"]) for page in snippets.pages()
                 for match in snippets.BLOCK.finditer(page.read_text())}
        for path in sorted((ROOT / "Examples").rglob("*.swift")):
            for name in re.findall(r"// begin: (\S+)", path.read_text()):
                self.assertIn((str(path.relative_to(ROOT)), name), shown)

    def test_links_lead_somewhere(self):
        for page in snippets.pages():
            for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
                if not target.startswith("http"):
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_paths_exist(self):
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
        files = listed.stdout.splitlines()
        for page in snippets.pages():
            for path in re.findall(r"`((?:Sources|Tests|Examples|Documentation|Matrix|API|ci)/[\w./+-]+)`", page.read_text()):
                path = path.rstrip("/")
                self.assertTrue(
                    any(file == path or file.startswith(path + "/") for file in files) or (ROOT / path).exists(),
                    f"{page.name}: {path}")


class Snippets(unittest.TestCase):
    """The tool itself."""

    def test_finds_parts_and_their_lack(self):
        page = "<!-- Examples/Asyncio/Callbacks.swift: hello-world -->\n```swift\nold\n```\n"
        self.assertIn('print("Hello World")', snippets.updated(page))
        self.assertNotIn("// begin", snippets.updated(page))
        for wrong in [page.replace("hello-world", "nothing"), page.replace("Callbacks", "Nothing")]:
            with self.assertRaises(snippets.Missing):
                snippets.updated(wrong)


if __name__ == "__main__":
    unittest.main()
