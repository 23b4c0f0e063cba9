// Where a thread is torn down while native code works for it, what comes of that work may be thrown where nobody can catch it, and the process aborts
// (@duckdb/node-api does so, by node-addon-api). So a process that exits waits until such a thread has ended by itself.

/** ms for all of them together: a checkpoint of a file takes up to 5 s. */
const LAST_MS = 10_000

/** How each is told to end. */
const threads = new Map<Int32Array, () => void>()

/** What a thread says its end by. To be given to it. */
export function newEnd(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

/** In the thread: that it has ended is said when its event loop is empty, so that nothing works for it any more. */
export function sayEnd(end: Int32Array): void {
  process.once('exit', () => {
    Atomics.store(end, 0, 1)
    Atomics.notify(end, 0)
  })
}

/**
 * Has the exit of the process, or of the thread that this one belongs to, wait for a thread: by `process.exit()`, by an uncaught exception, or because there is
 * nothing left to do. The event loop stands still meanwhile.
 *
 * @param tell has it end
 * @returns takes that back, when it has ended
 */
export function waitAtExit(end: Int32Array, tell: () => void): () => void {
  if (threads.size === 0) process.on('exit', waitForAll)
  threads.set(end, tell)
  return () => {
    threads.delete(end)
    if (threads.size === 0) process.off('exit', waitForAll)
  }
}

function waitForAll(): void {
  for (const tell of threads.values()) tell()
  const until = performance.now() + LAST_MS
  for (const end of threads.keys()) Atomics.wait(end, 0, 0, Math.max(0, until - performance.now()))
}
