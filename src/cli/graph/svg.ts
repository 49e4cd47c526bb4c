// DOT text → SVG, by Graphviz compiled to WebAssembly. A bundle of its own, so it imports nothing of ours.
import { instance } from '@viz-js/viz';

/** Lays out and draws. @throws Error for text that is no DOT. */
export async function svgOfDot(dot: string): Promise<string> {
  const viz = await instance();
  return viz.renderString(dot, { format: 'svg', engine: 'dot' });
}
