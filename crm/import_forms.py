"""What people enter on an import's way: the file, where its rows stand, and what its columns hold."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.actions.imports import Column, Kind
from crm.import_templates import column_label, kind_label
from crm.lib.cells import amount, margin, not_negative, rate
from crm.lib.parsing import Limits
from crm.models import ImportMode

MOST_WORDS = 100  # replaced in one go
_SUMMABLE = (amount, not_negative)
_FIGURES = (*_SUMMABLE, rate, margin)  # what a factor scales
_FACTORS = (
    ("", _("as written")),
    ("100", _("× 100 (0.18 is 18 %)")),
    ("1000", _("× 1,000 (thousands of yuan)")),
    ("10000", _("× 10,000 (10k CNY)")),
)


class UploadForm(forms.Form):
    """A file and what its rows are."""

    kind = forms.ChoiceField(label=_("Kind of record"), widget=forms.RadioSelect)
    file = forms.FileField(
        label=_("File"),
        help_text=_("xlsx or csv (UTF-8, UTF-16 or GB18030), at most 50 MB."),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        max_length=200,
        error_messages={"empty": _("The file is empty.")},
    )

    def __init__(self, *args: Any, kinds: Sequence[Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(kind.name, kind_label(kind)) for kind in kinds]  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        """Refuse what is too large before anything reads it."""
        file = self.cleaned_data["file"]
        if file.size > Limits.largest:
            raise forms.ValidationError(
                gettext("The file has %(size)s; at most 50 MB can be imported. Split it into several files."),
                params={"size": filesizeformat(file.size)},
            )
        return file


class Word(NamedTuple):
    """A word of the file in one of our columns, which may stand for another."""

    column: str
    word: str


class SetUpForm(forms.Form):
    """Which of our columns each column of the file is, what its words mean, and which rows are wanted."""

    mode = forms.ChoiceField(label=_("Rows wanted"), choices=ImportMode, widget=forms.RadioSelect)
    is_strict = forms.BooleanField(
        label=_("Import nothing if any row is rejected"),
        required=False,
        help_text=_("Otherwise the good rows are imported and the others come back as a file."),
    )

    def __init__(
        self,
        *args: Any,
        kind: Kind,
        headers: Sequence[str],
        mapping: Mapping[str, Any],
        words: Sequence[Word] = (),
        new_words: Mapping[Word, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.headers, self.mapping = kind, headers, mapping
        self.sources = {name: _as_source(said) for name, said in mapping.get("columns", {}).items()}
        self.words = list(dict.fromkeys([*self._replaced(), *words, *(new_words or {})]))[:MOST_WORDS]
        self.nearly = new_words or {}
        self.figures = [column.name for column in kind.columns if column.parse in _FIGURES]
        self._add_columns()
        self._add_constants()
        self._add_words()
        self._add_rows_wanted()

    def _replaced(self) -> Iterator[Word]:
        for name, source in self.sources.items():
            for word in source.get("values", {}):
                yield Word(name, word)

    def _add_columns(self) -> None:
        ours = [("", gettext("— not imported —")), *((one.name, _choice(one)) for one in self.kind.columns)]
        holds = {source["header"]: name for name, source in self.sources.items() if "header" in source}
        for place, header in enumerate(self.headers):
            name = holds.get(header, "")
            label = gettext("“{header}” is").format(header=header)
            self.fields[f"column_{place}"] = forms.ChoiceField(label=label, choices=ours, required=False, initial=name)
            factor = self.sources.get(name, {}).get("factor", "")
            choices = [*_FACTORS, *([(factor, f"× {factor}")] if factor not in dict(_FACTORS) else [])]
            label = gettext("How to read the figures of “{header}”").format(header=header)
            self.fields[f"factor_{place}"] = forms.ChoiceField(
                label=label, choices=choices, required=False, initial=factor
            )

    def _add_constants(self) -> None:
        """For each of our columns a value for all rows, or a column of the file that is another one of ours as well."""
        shown = {field.initial for name, field in self.fields.items() if name.startswith("column_")}
        for column in self.kind.columns:
            source, label = self.sources.get(column.name, {}), column_label(column)
            self.fields[f"constant_{column.name}"] = forms.CharField(
                label=label, required=False, max_length=200, initial=source.get("constant", "")
            )
            choices = [
                ("", gettext("in all rows")),
                *((header, gettext("from “{header}”").format(header=header)) for header in self.headers),
            ]
            also = "" if column.name in shown else source.get("header", "")
            label = gettext("{column}: a value for all rows, or from a column").format(column=label)
            self.fields[f"also_{column.name}"] = forms.ChoiceField(
                label=label, choices=choices, required=False, initial=also
            )

    def _add_rows_wanted(self) -> None:
        header, words = next(iter(self.mapping.get("only", {}).items()), ("", ()))
        choices = [("", gettext("— all rows —")), *((one, one) for one in self.headers)]
        self.fields["only_header"] = forms.ChoiceField(
            label=gettext("Only rows in which this column"), choices=choices, required=False, initial=header
        )
        self.fields["only_words"] = forms.CharField(
            label=gettext("holds one of these words"),
            required=False,
            max_length=500,
            initial=", ".join(words),
            help_text=gettext("Separated by commas."),
        )
        summable = [(one.name, column_label(one)) for one in self.kind.columns if one.parse in _SUMMABLE]
        self.fields["sums"] = forms.MultipleChoiceField(
            label=gettext("Add up rows of the same record in"),
            choices=summable,
            required=False,
            initial=self.mapping.get("sum", []),
            widget=forms.CheckboxSelectMultiple,
            help_text=gettext("Otherwise a second row of the same record is rejected."),
        )

    def _add_words(self) -> None:
        for place, (name, word) in enumerate(self.words):
            meant = self.sources.get(name, {}).get("values", {}).get(word, "")
            label = gettext("“{word}” means").format(word=word)
            nearly = self.nearly.get(Word(name, word), "")
            note = gettext("Nearly the same as “{word}”.").format(word=nearly) if nearly else ""
            self.fields[f"word_{place}"] = forms.CharField(
                label=label, required=False, max_length=200, initial=meant, help_text=note
            )

    @property
    def column_rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Each column of the file with what it is and how its figures are read."""
        return [(header, self[f"column_{at}"], self[f"factor_{at}"]) for at, header in enumerate(self.headers)]

    def may_hold_figures(self, column: forms.BoundField) -> bool:
        """Whether a column of the file is one of our amounts or percents, or nothing yet and may become one."""
        return bool(self.figures) and (not column.value() or column.value() in self.figures)

    @property
    def constant_rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """What no column of the file is yet, with its value for all rows and the column that it comes from as well."""
        taken = {self[f"column_{place}"].value() for place in range(len(self.headers))}
        names = [
            (column_label(column), column.name)
            for column in self.kind.columns
            if column.name not in taken or self.errors.get(f"constant_{column.name}")
        ]
        return [(label, self[f"constant_{name}"], self[f"also_{name}"]) for label, name in names]

    @property
    def has_more(self) -> bool:
        """Whether anything is said beside which column is which."""
        rows = [field for _label, *fields in self.constant_rows for field in fields]
        return any(field.value() for field in (*rows, self["only_header"], self["sums"]))

    @property
    def word_rows(self) -> list[tuple[str, forms.BoundField]]:
        """Each word that may stand for another, with the column where it stands."""
        labels = {column.name: column_label(column) for column in self.kind.columns}
        return [(labels.get(name, name), self[f"word_{at}"]) for at, (name, _word) in enumerate(self.words)]

    def clean(self) -> dict[str, Any]:
        """Each of our columns comes from one place, and those that must be there are."""
        chosen = self._chosen()
        for place in range(len(self.headers)):
            name = self.cleaned_data.get(f"column_{place}", "")
            if name and chosen[name] != place:
                other = self.headers[chosen[name]]
                self.add_error(f"column_{place}", gettext("“{header}” is this already.").format(header=other))
        for name in chosen:
            if self.cleaned_data.get(f"constant_{name}") or self.cleaned_data.get(f"also_{name}"):
                self.add_error(f"constant_{name}", gettext("This comes from a column of the file already."))
        if absent := self.absent(set(chosen)):
            self.add_error(
                None, gettext("Say where these come from: {columns}.").format(columns=gettext(", ").join(absent))
            )
        if bool(self.cleaned_data.get("only_header")) != bool(self.cleaned_data.get("only_words")):
            self.add_error("only_words", gettext("Say both: the column, and the words of the rows that are wanted."))
        return self.cleaned_data

    def _chosen(self) -> dict[str, int]:
        """Our columns and the first place that each is said to come from."""
        chosen: dict[str, int] = {}
        for place in range(len(self.headers)):
            chosen.setdefault(self.cleaned_data.get(f"column_{place}", ""), place)
        chosen.pop("", None)
        return chosen

    def absent(self, mapped: set[str]) -> list[str]:
        """What must be there and comes from nowhere."""
        data = self.cleaned_data if self.is_bound else {}
        return [
            column_label(column)
            for column in self.kind.columns
            if column.is_required
            and column.name not in mapped
            and not (data.get(f"constant_{column.name}") or data.get(f"also_{column.name}"))
        ]

    def absent_at_first(self) -> list[str]:
        """What must be there and was not found in the file by itself."""
        return self.absent({name for name, source in self.sources.items() if source})

    def said_mapping(self) -> dict[str, Any]:
        """The mapping that was entered, in the form of a mapping file; what the page does not show stays."""
        columns: dict[str, Any] = {}
        for name, place in self._chosen().items():
            factor = self.cleaned_data.get(f"factor_{place}", "") if name in self.figures else ""
            columns[name] = self._source(name, self.headers[place], factor)
        for column in self.kind.columns:
            if constant := self.cleaned_data.get(f"constant_{column.name}"):
                columns[column.name] = {"constant": constant}
            elif also := self.cleaned_data.get(f"also_{column.name}"):
                factor = self.sources.get(column.name, {}).get("factor", "") if column.name in self.figures else ""
                columns[column.name] = self._source(column.name, also, factor)
        said = {name: value for name, value in self.mapping.items() if name not in ("only", "sum")}
        return {**said, "kind": self.kind.name, "columns": columns, **self._rows_wanted()}

    def _rows_wanted(self) -> dict[str, Any]:
        header, words = self.cleaned_data["only_header"], self.cleaned_data["only_words"]
        wanted = [word.strip() for word in words.replace("，", ",").replace("、", ",").split(",") if word.strip()]
        sums = self.cleaned_data["sums"]
        return ({"only": {header: wanted}} if header else {}) | ({"sum": sums} if sums else {})

    def _source(self, name: str, header: str, factor: str) -> dict[str, Any]:
        before = self.sources.get(name, {})
        is_same = before.get("header") == header
        values = {
            word: meant
            for at, (column, word) in enumerate(self.words)
            if column == name and (meant := self.cleaned_data.get(f"word_{at}", ""))
        }
        return {
            "header": header,
            **({"default": before["default"]} if is_same and "default" in before else {}),
            **({"values": values} if values else {}),
            **({"factor": factor} if factor else {}),
        }


def _as_source(said: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"header": said} if isinstance(said, str) else dict(said)


def _choice(column: Column) -> str:
    label = column_label(column)
    return gettext("{column} (required)").format(column=label) if column.is_required else label
