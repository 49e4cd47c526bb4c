// A picture → text in the DOT language.
import {
  CONFLICT,
  type Colour,
  coloursOf,
  DIAMOND,
  type Edge,
  fillOf,
  type Node,
  type Picture,
  PLAIN,
} from './picture.ts';

/** As in host/output.ts, with line breaks: nothing that is drawn may drive a terminal. */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters have no place in a picture
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A quoted string: within it only the quote is special to DOT, and the backslash to labels
 * (graphviz.org/doc/info/lang.html, "String"; attrType/escString).
 */
export function quoted(text: string): string {
  const safe = text.replace(CONTROLS, '?');
  return `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Several lines of a label, centred. */
const label = (lines: readonly string[]): string =>
  `"${lines.map((line) => quoted(line).slice(1, -1)).join('\\n')}"`;

type Attributes = readonly (readonly [name: string, value: string])[];

const attributes = (list: Attributes): string => list.map(([name, value]) => `${name}=${value}`).join(', ');

const SHAPES: Record<Node['kind'], string> = {
  program: 'house',
  bundled: 'component',
  store: 'box',
  libc: 'cylinder',
  optional: 'box',
  lack: 'octagon',
  offer: 'box',
};

function nodeLine(node: Node, colours: readonly Colour[]): string {
  const { id, kind, lines, glibc, diamond } = node;
  const list: Attributes = [
    ['label', label(diamond ? [...lines, '◆ run paths disagree'] : lines)],
    ['shape', SHAPES[kind]],
    ['fillcolor', quoted(fillOf(colours, glibc))],
    ...(diamond
      ? ([
          ['color', quoted(DIAMOND)],
          ['penwidth', '2.5'],
        ] as const)
      : []),
    ...(kind === 'lack'
      ? ([
          ['color', quoted(CONFLICT)],
          ['penwidth', '2.5'],
        ] as const)
      : []),
    ...(kind === 'optional' ? ([['style', '"filled,dashed"']] as const) : []),
    ...(kind === 'offer' ? ([['style', '"filled,dashed"']] as const) : []),
    ...(kind === 'bundled' ? ([['style', '"filled,bold"']] as const) : []),
  ];
  return `  ${quoted(id)} [${attributes(list)}];`;
}

const EDGES: Record<Edge['kind'], Attributes> = {
  load: [['penwidth', '1.4']],
  need: [
    ['color', '"#9aa5ad"'],
    ['constraint', 'false'],
    ['arrowsize', '0.6'],
  ],
  override: [
    ['color', quoted(DIAMOND)],
    ['fontcolor', quoted(DIAMOND)],
    ['style', 'dashed'],
  ],
  open: [['style', 'dashed']],
  refused: [
    ['color', quoted(CONFLICT)],
    ['fontcolor', quoted(CONFLICT)],
    ['arrowhead', 'tee'],
  ],
};

function edgeLine({ from, to, kind, label: text }: Edge): string {
  const list: Attributes = [...(text === '' ? [] : [['label', quoted(text)] as const]), ...EDGES[kind]];
  return `  ${quoted(from)} -> ${quoted(to)} [${attributes(list)}];`;
}

/** Only what occurs in the picture is explained. */
function legendLines(picture: Picture, colours: readonly Colour[]): string[] {
  const entry = (id: string, list: Attributes) =>
    `    ${quoted(`legend:${id}`)} [${attributes([...list, ['fontsize', '9'], ['height', '0.25']])}];`;
  const kinds = new Set(picture.nodes.map(({ kind }) => kind));
  const text = (kind: Node['kind'], line: string, extra: Attributes = []) =>
    kinds.has(kind)
      ? [
          entry(kind, [
            ['label', quoted(line)],
            ['shape', SHAPES[kind]],
            ['fillcolor', quoted(PLAIN)],
            ...extra,
          ]),
        ]
      : [];
  const diamond = picture.nodes.some((node) => node.diamond);
  const lines = [
    ...text('program', 'the program'),
    ...text('bundled', 'brought along by the program'),
    ...text('libc', 'libc of the loader'),
    ...text('optional', 'opened while it runs, if at all', [['style', '"filled,dashed"']]),
    ...text('lack', 'needed, and not to be had', [['color', quoted(CONFLICT)]]),
    ...text('offer', 'offered, and does not fit', [['style', '"filled,dashed"']]),
    ...colours.map(({ glibc, fill }) =>
      entry(glibc, [
        ['label', quoted(`built with ${glibc}`)],
        ['shape', 'box'],
        ['fillcolor', quoted(fill)],
      ]),
    ),
    ...(diamond
      ? [
          entry('diamond', [
            ['label', '"◆ parents would take different files"'],
            ['shape', 'box'],
            ['fillcolor', quoted(PLAIN)],
            ['color', quoted(DIAMOND)],
          ]),
        ]
      : []),
  ];
  if (lines.length === 0) return [];
  return [
    '  subgraph "cluster_legend" {',
    '    label="legend"; color="#c0c0c0"; fontsize=10;',
    ...lines,
    '  }',
  ];
}

/** Lines of about 90 characters, each set flush left. */
function paragraph(sentence: string): string {
  const lines = sentence.match(/\S.{0,88}\S(?=\s|$)|\S+/g) ?? [];
  return lines.map((line) => `${quoted(line).slice(1, -1)}\\l`).join('');
}

/** DOT text, the same for the same picture, byte for byte. */
export function dotText(picture: Picture): string {
  const colours = coloursOf(picture);
  const below = picture.conflict.map(paragraph).join('');
  return [
    `digraph ${quoted(picture.title)} {`,
    `  graph [rankdir=LR, ranksep=0.7, nodesep=0.18, fontname="Arial"${below === '' ? '' : `, label="${below}", labeljust=l, fontsize=11`}];`,
    '  node [style=filled, fontname="Arial", fontsize=11, margin="0.16,0.06"];',
    '  edge [fontname="Arial", fontsize=9];',
    ...picture.nodes.map((node) => nodeLine(node, colours)),
    ...picture.edges.map(edgeLine),
    ...legendLines(picture, colours),
    '}',
    '',
  ].join('\n');
}
