"""The parts of a documentation page: code blocks, tables and headings."""

import re
from dataclasses import dataclass
from pathlib import Path

root = Path(__file__).resolve().parents[2]


@dataclass
class Block:
    place: str
    language: str
    text: str

    def __str__(self):
        return f'{self.place} ({self.language})'

    def option_lists(self):
        """The options of an INI file, as lists of pairs. An empty line begins a new list."""
        lists = []
        for part in self.text.strip().split('\n\n'):
            lines = [line for line in part.splitlines() if not line.startswith('#')]
            lists.append([tuple(line.split(' = ')) for line in lines])
        return lists


def without_code(text):
    return re.sub(r'^```.*?^```', '', text, flags=re.M | re.S)


class Page:
    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(root))
        self.text = path.read_text()
        self.blocks = []
        for match in re.finditer(r'^```(\w*)\n(.*?)^```$', self.text, re.M | re.S):
            line = self.text.count('\n', 0, match.start()) + 1
            self.blocks.append(Block(f'{self.name}:{line}', match[1], match[2]))
        self.left = list(self.blocks)

    def take(self, *languages):
        """Takes the next blocks of the page, which must have these languages."""
        taken, self.left = self.left[:len(languages)], self.left[len(languages):]
        found = [block.language for block in taken]
        if found != list(languages):
            raise ValueError(f'{self.name}: the next blocks are {found}, but the test expects {list(languages)}')
        return taken if len(taken) > 1 else taken[0]

    def tables(self):
        """The tables of the page. A table is a list of rows, beginning with its head; a row is a list of texts."""
        tables = re.findall(r'^(?:\|.*\n)+', self.text, re.M)
        rows = [[line.strip('|').split('|') for line in table.splitlines()] for table in tables]
        return [[[cell.strip() for cell in row] for row in [table[0], *table[2:]]] for table in rows]

    def table(self, head):
        """The rows of the page's only table whose head begins with this text, without the head."""
        [rows] = [rows for [first, *_], *rows in self.tables() if first == head]
        return rows

    def anchors(self):
        headings = re.findall(r'^#+ (.*)$', without_code(self.text), re.M)
        return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}
