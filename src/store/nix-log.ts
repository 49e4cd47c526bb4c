// Lines of Nix's internal-json log → how far a fetch is, and what Nix said in words.

export interface FetchProgress {
  /** Bytes in the store that came already, of those expected. Both 0 before Nix knows. */
  readonly done: number;
  readonly expected: number;
  /** Where the last path comes from, as Nix has it; empty before the first. */
  readonly from: string;
}

interface NixLog {
  /** Takes what Nix prints, however it was cut. */
  take(text: string): void;
  /** What Nix would have printed without the log. */
  words(): string;
}

/** Nix: src/libutil/include/nix/util/logging.hh, ActivityType and ResultType. */
const COPY_PATH = 100;
const PROGRESS = 105;
const SET_EXPECTED = 106;
/** What Nix prints without being asked for more (Verbosity, lvlInfo). */
const INFO = 3;

/** Characters; of what a Nix says without end the beginning and the last line matter. */
const MOST_WORDS = 1 << 20;

type LogFields = Readonly<Record<string, unknown>>;

function parseLine(line: string): LogFields | undefined {
  try {
    const parsed: unknown = JSON.parse(line.slice('@nix '.length));
    return typeof parsed === 'object' && parsed !== null ? (parsed as LogFields) : undefined;
  } catch {
    return undefined;
  }
}

function numbersIn(fields: unknown): number[] {
  return Array.isArray(fields)
    ? fields.map((each) => (typeof each === 'number' && each >= 0 ? each : 0))
    : [];
}

/** Follows activities. What is not known of later versions is passed over. */
function activities(): { note(fields: LogFields): boolean; progress(): FetchProgress } {
  const done = new Map<number, number>();
  const expected = new Map<number, number>();
  let from = '';
  const begin = ({ id, type, fields }: LogFields): boolean => {
    if (type !== COPY_PATH) return false;
    done.set(Number(id), 0);
    const source: unknown = Array.isArray(fields) ? fields[1] : undefined;
    if (typeof source === 'string') from = source;
    return true;
  };
  const result = ({ id, type, fields }: LogFields): boolean => {
    const [first = 0, second = 0] = numbersIn(fields);
    if (type === SET_EXPECTED && first === COPY_PATH) expected.set(Number(id), second);
    else if (type === PROGRESS && done.has(Number(id))) done.set(Number(id), first);
    else return false;
    return true;
  };
  const sum = (each: Map<number, number>) => [...each.values()].reduce((total, one) => total + one, 0);
  return {
    note: (fields) =>
      fields['action'] === 'start' ? begin(fields) : fields['action'] === 'result' && result(fields),
    progress: () => ({ done: sum(done), expected: sum(expected), from }),
  };
}

/** Reads `@nix {json}` (nix-store --log-format internal-json, from Nix 2.4). `onProgress` is called at each change. */
export function nixLog(onProgress: (progress: FetchProgress) => void): NixLog {
  const { note, progress } = activities();
  let [rest, words] = ['', ''];
  const say = (line: string): void => {
    if (words.length < MOST_WORDS) words += `${line}\n`;
  };
  const takeLine = (line: string): void => {
    const fields = line.startsWith('@nix ') ? parseLine(line) : undefined;
    if (fields === undefined) {
      if (line !== '') say(line);
    } else if (fields['action'] === 'msg') {
      if (Number(fields['level']) <= INFO) say(String(fields['msg']));
    } else if (note(fields)) onProgress(progress());
  };
  return {
    take: (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) takeLine(line);
    },
    words: () => (rest === '' ? words : `${words}${rest}\n`),
  };
}
