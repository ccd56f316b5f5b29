/** An await tree as lines that fit on a screen. */
import { formatCount } from '../../base/units.js';
import type { AwaitBranch } from '../inspection.js';
import { branchText, countText, leafText, tasksText, type Paint } from './phrases.js';

/** Lines of one thread's tree. */
const MAX_LINES = 100;
/** What stands side by side is cut so that each has about this many lines: better the whole way of a few than the first step of all. */
const LINES_EACH = 5;
/** From here on a chain goes straight down instead of to the right. */
const CHAIN_INDENT = 8;
/** What is further to the right is left out. */
const MAX_INDENT = 16;
/** Also where nothing is to be left out: lines that long tell nobody anything. */
const MAX_INDENT_OF_ALL = 200;
/** Lines of what goes straight down. */
const MAX_CHAIN = 30;

export interface TreeOptions {
  paint: Paint;
  /** Whether to leave nothing out. */
  all: boolean;
  /** How the reader gets what is left out, such as `--all shows them`; default: that is not told. */
  hint: string | undefined;
}

/** A line, and what stands below it. */
interface Item {
  text: string;
  below: () => Item[];
  /** Suspended functions in it and below it. */
  functions: () => number;
}

/** Roots, and below each whom and what it waits for; tree lines included. */
export function awaitLines(branches: readonly AwaitBranch[], options: TreeOptions): string[] {
  const lines: string[] = [];
  const drawing = new Drawing(lines, options);
  drawing.sideBySide(rootsOf(branches, options.paint, options.all), '', 0, options.all ? Infinity : MAX_LINES);
  return lines;
}

class Drawing {
  readonly #lines: string[];
  readonly #options: TreeOptions;

  constructor(lines: string[], options: TreeOptions) {
    this.#lines = lines;
    this.#options = options;
  }

  /** @param budget lines, at least 1 */
  sideBySide(items: readonly Item[], prefix: string, indent: number, budget: number): void {
    const { paint, all, hint } = this.#options;
    // In the last line stands that there is more.
    const fitting = all ? Infinity : budget < 2 ? 0 : Math.ceil(budget / LINES_EACH);
    const shown = indent >= (all ? MAX_INDENT_OF_ALL : MAX_INDENT) ? [] : items.slice(0, fitting);
    const rest = items.slice(shown.length);
    const end = this.#lines.length + budget - (rest.length > 0 ? 1 : 0);
    shown.forEach((item, index) => {
      const isLast = index === items.length - 1;
      // What the ones before did not need, is for those behind them.
      const share = Math.max(1, Math.floor((end - this.#lines.length) / (shown.length - index)));
      this.#chain(item, `${prefix}${isLast ? '└─ ' : '├─ '}`, `${prefix}${isLast ? '   ' : '│  '}`, indent + 1, share);
    });
    if (rest.length === 0) return;
    const functions = rest.reduce((sum, item) => sum + item.functions(), 0);
    const what = functions > 0 ? countText(functions, 'more suspended function') : `${formatCount(rest.length)} more`;
    this.#lines.push(`${prefix}└─ ${paint('dim', `… ${what}${hint === undefined ? '' : ` (${hint})`}`)}`);
  }

  /** An item, and what is below it as long as that is one thing; then what is side by side. */
  #chain(first: Item, mark: string, prefix: string, indent: number, budget: number): void {
    const { all, paint } = this.#options;
    const chain = [first];
    let below = first.below();
    while (below.length === 1) {
      chain.push(below[0]!);
      below = below[0]!.below();
    }
    const texts = shortened(folded(chain), all ? Infinity : Math.min(budget, MAX_CHAIN), paint);
    let column = prefix;
    let depth = indent;
    texts.forEach((text, index) => {
      if (index === 0) this.#lines.push(`${mark}${text}`);
      else if (depth < CHAIN_INDENT) {
        this.#lines.push(`${column}└─ ${text}`);
        column += '   ';
        depth++;
      } else this.#lines.push(`${column}↳ ${text}`);
    });
    const left = budget - texts.length;
    if (below.length === 0) return;
    if (left < 1) this.#lines.push(`${this.#lines.pop()!}${paint('dim', '  …')}`);
    else this.sideBySide(below, column, depth, left);
  }
}

/** Alike ones in a row, as of a function that calls itself, are one line. */
function folded(chain: readonly Item[]): string[] {
  const runs: { text: string; times: number }[] = [];
  for (const { text } of chain) {
    const last = runs.at(-1);
    if (last?.text === text) last.times++;
    else runs.push({ text, times: 1 });
  }
  return runs.map(({ text, times }) => (times === 1 ? text : `${text}  (${formatCount(times)} deep)`));
}

/** A chain without its middle: who began it, and what it waits for in the end, are what one wants to know. */
function shortened(texts: readonly string[], room: number, paint: Paint): string[] {
  if (texts.length <= room) return [...texts];
  if (room < 2) return [`${texts[0]}${paint('dim', '  …')}`];
  const tail = Math.floor((room - 1) / 2);
  const head = room - 1 - tail;
  const left = texts.length - head - tail;
  const middle = paint('dim', `⋮ ${formatCount(left)} more`);
  return [...texts.slice(0, head), middle, ...texts.slice(texts.length - tail)];
}

/** What runs a task is a function of holdfast: the task stands for it. */
function rootsOf(branches: readonly AwaitBranch[], paint: Paint, all: boolean): Item[] {
  return branches.map((branch) => {
    const item = itemOf(branch, paint);
    if (branch.tasks === undefined || branch.tasks.length === 0) return item;
    const text = paint('yellow', tasksText(branch.tasks, branch.count));
    return { ...item, text, ...(all && { below: () => [item] }) };
  });
}

function itemOf(branch: AwaitBranch, paint: Paint): Item {
  return {
    text: branchText(branch, paint),
    below: () => [
      ...branch.children.map((child) => itemOf(child, paint)),
      ...branch.leaves.map((leaf) => ({ text: leafText(leaf, paint), below: () => [], functions: () => 0 })),
    ],
    functions: () => functionsIn(branch),
  };
}

/** Without recursion: a chain may be longer than the stack. */
function functionsIn(branch: AwaitBranch): number {
  let sum = 0;
  for (const open = [branch]; open.length > 0;) {
    const next = open.pop()!;
    sum += next.count + (next.omitted ?? 0);
    open.push(...next.children);
  }
  return sum;
}
