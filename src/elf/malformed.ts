// Why an object cannot be read, on its way from where that is seen to the reader's answer.

/**
 * Thrown within `src/elf` only; every public reader turns it into `{kind: 'bad-elf', why}`.
 * `message` is one clause for users, without a full stop.
 */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}
