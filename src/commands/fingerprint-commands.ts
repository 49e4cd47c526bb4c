// The commands about fingerprints as documents; each is loaded when it is asked for.
import { reportFailure } from '../platform/report.ts';
import { type CommandRow, isThere, JSON_OPTION, valuesOf } from './command-row.ts';

const KEY_OPTION = '--key <file>';

/** `nix-foreign fingerprint ...`. */
export const FINGERPRINT_COMMANDS: readonly CommandRow[] = [
  {
    usage: 'fingerprint export <program>',
    summary: 'write the fingerprint of a program, or of every program in a directory, to hand on beside it',
    options: [
      ['-o, --output <file>', 'write to this file instead, - for stdout'],
      ['--tree', 'one file for all programs of a directory'],
      [KEY_OPTION, 'sign with this secret key'],
      JSON_OPTION,
    ],
    run: async ([program = ''], { output, tree, key, json }, { context, setExitStatus }) => {
      const { exportCommand } = await import('./fingerprint-export.ts');
      const options = {
        output: valuesOf(output).at(-1),
        tree: isThere(tree),
        key: valuesOf(key).at(-1),
        json: isThere(json),
      };
      const [status] = (await exportCommand(program, options, context)).map(reportFailure);
      if (status !== undefined) setExitStatus(status);
    },
  },
  {
    usage: 'fingerprint import <file> [program]',
    summary: 'plan a program by a fingerprint, fetching what is missing',
    options: [JSON_OPTION],
    run: async ([file = '', program], { json }, { context }) => {
      const { importCommand } = await import('./fingerprint-import.ts');
      await importCommand(file, program, { json: isThere(json) }, context);
    },
  },
  {
    usage: 'fingerprint show <file-or-program>',
    summary: 'print what a fingerprint says',
    options: [JSON_OPTION],
    run: async ([named = ''], { json }, { context }) => {
      const { showCommand } = await import('./fingerprint-show.ts');
      await showCommand(named, { json: isThere(json) }, context);
    },
  },
  {
    usage: 'fingerprint verify <file> [program]',
    summary: 'check a fingerprint as a first start would, and change nothing',
    options: [JSON_OPTION],
    run: async ([file = '', program], { json }, { context }) => {
      const { verifyCommand } = await import('./fingerprint-import.ts');
      await verifyCommand(file, program, { json: isThere(json) }, context);
    },
  },
  {
    usage: 'fingerprint diff <before> <after>',
    summary: 'show how two fingerprints, of files or of programs, differ; status 1 when they do',
    options: [JSON_OPTION],
    run: async ([before = '', after = ''], { json }, { context, setExitStatus }) => {
      const { diffCommand } = await import('./fingerprint-show.ts');
      setExitStatus(await diffCommand(before, after, { json: isThere(json) }, context));
    },
  },
  {
    usage: 'fingerprint sign <files...>',
    summary: 'add a signature to fingerprints',
    options: [[KEY_OPTION, 'the secret key, as nix key generate-secret makes it'], JSON_OPTION],
    run: async (files, { key, json }, { context }) => {
      const { signCommand } = await import('./fingerprint-sign.ts');
      signCommand(files, { key: valuesOf(key).at(-1), json: isThere(json) }, context);
    },
  },
];
