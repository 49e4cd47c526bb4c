// Nothing → a bar for work of ten steps, of which the second takes longer than a second.
import { barOnTerminal } from '../../../src/host/progress-bar.ts';

const { progress, done } = await barOnTerminal('working');
progress(1, 10);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100);
progress(2, 10);
progress(10, 10);
done();
