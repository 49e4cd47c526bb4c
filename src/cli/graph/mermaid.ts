// A picture → text of a Mermaid flow chart.
import { CONFLICT, coloursOf, DIAMOND, type Edge, fillOf, type Node, type Picture } from './picture.ts';

/**
 * Text within quotes: Mermaid takes entities there, by name or number, and Markdown or HTML else
 * (mermaid.js.org/syntax/flowchart.html, "Entity codes to escape characters").
 */
export function quoted(text: string): string {
  const safe = text.replace(/[^\p{L}\p{N} .,:;/+_~=()→◆-]/gu, (character) => `#${character.codePointAt(0)};`);
  return `"${safe}"`;
}

const label = (lines: readonly string[]): string =>
  `"${lines.map((line) => quoted(line).slice(1, -1)).join('<br/>')}"`;

const SHAPES: Record<Node['kind'], readonly [open: string, close: string]> = {
  program: ['([', '])'],
  bundled: ['[[', ']]'],
  store: ['[', ']'],
  libc: ['[(', ')]'],
  optional: ['(', ')'],
  lack: ['{{', '}}'],
  offer: ['(', ')'],
};

const ARROWS: Record<Edge['kind'], string> = {
  load: '-->',
  need: '-.->',
  override: '-.->',
  open: '-.->',
  refused: '--x',
};

/** Flow chart text. Nodes are numbered: an identifier must not be a word of the language, such as `end`. */
export function mermaidText(picture: Picture): string {
  const colours = coloursOf(picture);
  const ids = new Map(picture.nodes.map(({ id }, at) => [id, `n${at}`]));
  const nodes = picture.nodes.map(({ id, kind, lines, diamond }) => {
    const [open, close] = SHAPES[kind];
    return `  ${ids.get(id)}${open}${label(diamond ? [...lines, '◆ run paths disagree'] : lines)}${close}`;
  });
  const edges = picture.edges.flatMap(({ from, to, kind, label: text }) => {
    const [a, b] = [ids.get(from), ids.get(to)];
    if (a === undefined || b === undefined) return [];
    return [`  ${a} ${ARROWS[kind]}${text === '' ? '' : `|${quoted(text)}|`} ${b}`];
  });
  const styles = picture.nodes.flatMap(({ id, kind, glibc, diamond }) => {
    if (kind === 'optional') return [`  style ${ids.get(id)} stroke-dasharray:5 5`];
    const stroke = kind === 'lack' ? CONFLICT : diamond ? DIAMOND : undefined;
    if (glibc === undefined && stroke === undefined) return [];
    const border = stroke === undefined ? '' : `,stroke:${stroke},stroke-width:3px`;
    return [`  style ${ids.get(id)} fill:${fillOf(colours, glibc)},color:#000000${border}`];
  });
  const legend = colours.map(
    ({ glibc, fill }, at) =>
      `    l${at}[${quoted(`built with ${glibc}`)}]\n    style l${at} fill:${fill},color:#000000`,
  );
  const sentences = picture.conflict.map((sentence, at) => `    c${at}[${quoted(sentence)}]`);
  return [
    'flowchart LR',
    ...nodes,
    ...edges,
    ...styles,
    ...(legend.length === 0 ? [] : ['  subgraph legend', ...legend, '  end']),
    ...(sentences.length === 0 ? [] : ['  subgraph conflict', ...sentences, '  end']),
    '',
  ].join('\n');
}
