// `nix-foreign config`: every setting with its value, where that comes from, and what it means.
import {
  type Configuration,
  configurationFiles,
  readConfiguration,
  type SettingOrigin,
} from '../config/load-config.ts';
import { KEYS, MEANINGS, type Settings } from '../config/settings.ts';
import { notice, printJson, printLine, withoutSecrets } from '../host/output.ts';
import type { Context } from '../resolve/context.ts';

function originText(origin: SettingOrigin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return origin.file;
    case 'environment':
      return `environment: ${origin.variable}`;
  }
}

/** What is printed gets into reports; a source may have a password or a signed query. */
function printed(settings: Settings): Settings {
  return { ...settings, sources: settings.sources.map(withoutSecrets) };
}

/** Each setting as it would stand in config.toml, under its meaning and its origin. */
function configText({ settings, origins, files }: Configuration): string {
  const shown = printed(settings);
  const settled = KEYS.map((key) => {
    const value = JSON.stringify(shown[key]);
    const isWhole = value === JSON.stringify(settings[key]);
    return [
      `# ${MEANINGS[key]}`,
      `# (${originText(origins[key])}${isWhole ? '' : ', without passwords and queries'})`,
      `${key} = ${value}`,
    ].join('\n');
  });
  return [`# read in this order, the last one wins: ${files.join(', ')}`, ...settled].join('\n\n');
}

/**
 * Where something is broken people get the keys all the same, then what is wrong.
 * @throws ForeignError `configuration`.
 */
async function readOrTellDefaults(
  options: { json: boolean },
  { host, env }: Pick<Context, 'host' | 'env'>,
): Promise<Configuration> {
  const files = await configurationFiles(host);
  try {
    return await readConfiguration(files, env);
  } catch (error) {
    if (options.json) throw error;
    const defaults = await readConfiguration([], {});
    printLine('# nothing can be read while something is broken; these are the keys and their defaults');
    printLine(configText({ ...defaults, files: files.map(({ file }) => file) }));
    throw error;
  }
}

export async function configCommand(options: { json: boolean }, context: Context): Promise<void> {
  const configuration = await readOrTellDefaults(options, context);
  for (const warning of configuration.warnings) notice(warning);
  if (options.json) printJson({ ...configuration, settings: printed(configuration.settings) });
  else printLine(configText(configuration));
}
