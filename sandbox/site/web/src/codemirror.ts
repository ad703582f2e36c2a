/**
 * CodeMirror, set up for Python as this course writes it. The only file that imports it, and a chunk
 * of its own in the build, so that a page can be read and run before it has arrived.
 */
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import {
  bracketMatching,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  highlightActiveLine,
  keymap,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

export interface View {
  setText(text: string): void;
  focus(): void;
  reveal(line: number): void;
}

interface Options {
  parent: HTMLElement;
  text: string;
  label: string;
  onChange(text: string): void;
  onRun(): void;
}

/** The line that a message points at: marked until the text changes. */
const flash = StateEffect.define<number>();
const flashed = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(flash)) {
        return Decoration.set([Decoration.line({ class: "sb-flash" }).range(effect.value)]);
      }
    }
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export function createView({ parent, text, label, onChange, onRun }: Options): View {
  let ours = false;
  const run = () => {
    onRun();
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(
          keymap.of([
            { key: "Mod-Enter", run },
            { key: "Shift-Enter", run },
          ]),
        ),
        history(),
        indentUnit.of("    "),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        python(),
        syntaxHighlighting(classHighlighter),
        flashed,
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({
          "aria-label": label,
          "aria-description": "Tab indents. To leave the editor, press Escape and then Tab.",
          autocapitalize: "off",
          autocorrect: "off",
          spellcheck: "false",
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !ours) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText(next) {
      ours = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
      ours = false;
    },
    focus: () => view.focus(),
    reveal(number) {
      const line = view.state.doc.line(Math.min(Math.max(1, number), view.state.doc.lines));
      view.dispatch({
        selection: { anchor: line.from },
        effects: [flash.of(line.from), EditorView.scrollIntoView(line.from, { y: "center" })],
      });
      view.focus();
    },
  };
}
