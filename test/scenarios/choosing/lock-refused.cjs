// A lock of the catalogue that fails once, as by EINTR → SQLITE_PROTOCOL for the first question about a name.
const { StatementSync } = require('node:sqlite');
const { all } = StatementSync.prototype;
let isRefused = false;
StatementSync.prototype.all = function (...words) {
  if (isRefused || !/where offer\.name = /.test(this.sourceSQL)) return all.apply(this, words);
  isRefused = true;
  process.stderr.write('a lock was refused\n');
  throw Object.assign(new Error('locking protocol'), { code: 'ERR_SQLITE_ERROR', errcode: 15 });
};
