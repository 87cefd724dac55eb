"""A configuration file, the files it includes and its rule files in; one document out.

Lists of the same name are joined, mappings are merged one level deep; anything else that stands in two files is a
mistake, told with both places.
"""

import glob
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from listener.config.packs import PACKS_KEY, expand
from listener.document import Document, Origin, read
from listener.problem import Keys, Mistake, Place

INCLUDE, RULE_FILES, RULES = "include", "rule_files", "rules"
_GIVE_RULES = (RULES, RULE_FILES, PACKS_KEY)
_WHOLE: Keys = ()


def assemble(path: Path, environ: Mapping[str, str] = os.environ, *, rules: Path | None = None) -> Document:
    """Everything that *path* says, includes, rule files and packs folded in. Mistakes are collected, never raised.

    *rules*: a rule file, or another configuration, whose rules stand in the place of those of *path*.
    """
    assembly = _Assembly(path, environ, with_rules=rules is None)
    if rules is not None:
        assembly.take_rules(rules)
    else:
        expand(assembly.document)
    return assembly.document


class _Assembly:
    def __init__(self, path: Path, environ: Mapping[str, str], *, with_rules: bool) -> None:
        self.environ = environ
        self.with_rules = with_rules
        self.document = Document(str(path), value={})
        self.read_by: dict[Path, Place] = {}
        self._take(path, Place(str(path)), above=())

    def take_rules(self, path: Path) -> None:
        """The rules of another file, and nothing else of it."""
        other = assemble(path, self.environ)
        self.document.files += other.files
        self.document.hidden |= other.hidden
        if not isinstance(other.value, dict) or not isinstance(other.value.get(RULES), list):
            if not other.mistakes:
                other.add(other.origin((RULES,)).place, (RULES,), "the file holds no list 'rules' to try")
            self.document.mistakes += other.mistakes
            return
        other.value = {RULES: other.value[RULES]}
        other.mistakes = [mistake for mistake in other.mistakes if mistake.keys[:1] in ((RULES,), ())]
        self._merge(other)
        self.document.derived |= other.derived

    def _take(self, path: Path, asked: Place, above: tuple[Path, ...]) -> None:
        part = self._read(path, asked, above)
        if part is None:
            return
        if not self.with_rules:
            part.value = {key: value for key, value in part.value.items() if key not in _GIVE_RULES}
            part.mistakes = [mistake for mistake in part.mistakes if mistake.keys[:1] not in ((RULES,), (PACKS_KEY,))]
            part.origins = {
                keys: origin for keys, origin in part.origins.items() if keys[:1] not in ((RULES,), (PACKS_KEY,))
            }
        self._merge(part)
        for file, place in self._files(part, INCLUDE):
            self._take(file, place, (*above, path.resolve()))
        for file, place in self._files(part, RULE_FILES):
            rules = self._read(file, place, (*above, path.resolve()))
            if rules is not None and self._only_rules(rules):
                self._merge(rules)

    def _read(self, path: Path, asked: Place, above: tuple[Path, ...]) -> Document | None:
        """One file as a mapping, its mistakes taken over; None where there is nothing to merge."""
        whole = path.resolve()
        if whole in self.read_by:
            circle = "includes itself" if whole in above else f"is read twice, first by {self.read_by[whole]}"
            self.document.add(asked, (INCLUDE,), f"the file {path} {circle}")
            return None
        self.read_by[whole] = asked
        part = read(path, self.environ)
        self.document.files += part.files
        self.document.hidden |= part.hidden
        if not isinstance(part.value, dict):
            if not part.mistakes:
                part.add(
                    part.origin(_WHOLE).place, _WHOLE, "must be keys and values, such as 'timezone: Asia/Shanghai'"
                )
            self.document.mistakes += part.mistakes
            self.document.complete = False
            return None
        return part

    def _files(self, part: Document, key: str) -> list[tuple[Path, Place]]:
        """The files that the patterns under *key* name, sorted; the model refuses what is no list of text."""
        patterns = part.value.get(key)
        found: list[tuple[Path, Place]] = []
        for index, pattern in enumerate(patterns if isinstance(patterns, list) else []):
            if not isinstance(pattern, str):
                continue
            place = part.origin((key, index)).place
            base = Path(part.file).parent
            names = sorted(glob.glob(pattern, root_dir=base, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute one
            files = [base / name for name in names if (base / name).is_file()]
            if not files and glob.has_magic(pattern):
                self.document.warnings.append(Mistake(place, (key, index), "matches no file"))
            elif not files:
                self.document.add(place, (key, index), f"there is no file {base / pattern}")
            found += [(file, place) for file in files]
        return found

    def _only_rules(self, part: Document) -> bool:
        for key in part.value:
            if key != RULES:
                self.document.add(
                    part.origin((key,)).key, (key,), "a rule file holds one key, 'rules', and nothing else"
                )
        if not isinstance(part.value.get(RULES), list):
            self.document.add(part.origin((RULES,)).place, (RULES,), "a rule file holds a list under 'rules'")
            self.document.mistakes += part.mistakes
            self.document.complete = False
            return False
        part.value = {RULES: part.value[RULES]}
        return True

    def _merge(self, part: Document) -> None:
        whole = self.document.value
        moved: dict[Keys, Keys] = {}
        for key, value in part.value.items():
            if whole.get(key) is None:
                whole[key] = value
                moved[(key,)] = (key,)
            elif isinstance(value, list) and isinstance(whole[key], list):
                start = len(whole[key])
                whole[key] += value
                moved |= {(key, index): (key, start + index) for index in range(len(value))}
            elif isinstance(value, dict) and isinstance(whole[key], dict):
                moved |= self._merge_mapping(part, key, value)
            elif value is not None:
                self._twice(part, (key,))
        self._move(part, moved)

    def _merge_mapping(self, part: Document, key: str, value: dict[str, Any]) -> dict[Keys, Keys]:
        moved: dict[Keys, Keys] = {}
        for name, inner in value.items():
            if name in self.document.value[key]:
                self._twice(part, (key, name))
            else:
                self.document.value[key][name] = inner
                moved[(key, name)] = (key, name)
        return moved

    def _twice(self, part: Document, keys: Keys) -> None:
        first = self.document.origin(keys).key
        self.document.add(part.origin(keys).key, keys, f"this stands in two files, first at {first}")

    def _move(self, part: Document, moved: Mapping[Keys, Keys]) -> None:
        """Take over the part's origins, holes and mistakes under their new keys: joining a list changes its indices."""

        def new(keys: Keys) -> Keys:
            for length in (1, 2):
                if keys[:length] in moved:
                    return moved[keys[:length]] + keys[length:]
            return keys

        for keys, origin in part.origins.items():
            self._keep(new(keys), origin)
        self.document.holes |= {new(keys) for keys in part.holes}
        for mistake in part.mistakes:
            self.document.add(mistake.place, new(mistake.keys), mistake.message)

    def _keep(self, keys: Keys, origin: Origin) -> None:
        self.document.origins.setdefault(keys, origin)
